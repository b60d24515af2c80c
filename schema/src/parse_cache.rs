//! `ParseCache`: what definition files parse to, remembered by whoever can keep it. The parser
//! takes most of the time of a run with nothing to do; all that follows from its nodes is cheap
//! and is done every time, so that no diagnostic can be remembered wrongly.

/// Remembers bytes by text. Files with diagnostics are never put.
///
/// A cache decides nothing: what it gives is taken only if it is a well-formed tree over the text,
/// and the program keys it so that only the same text and the same [`PARSER`] find it.
pub trait ParseCache {
    /// What was put for each of `texts`, in their order.
    fn get(&self, texts: &[&str]) -> Vec<Option<Vec<u8>>>;

    /// Remembers what `text` parsed to.
    fn put(&self, text: &str, parsed: Vec<u8>);
}

/// Remembers nothing.
#[derive(Debug)]
pub struct NoParseCache;

impl ParseCache for NoParseCache {
    fn get(&self, texts: &[&str]) -> Vec<Option<Vec<u8>>> {
        vec![None; texts.len()]
    }

    fn put(&self, _: &str, _: Vec<u8>) {}
}

/// The version of the `kdl` crate; a test compares it with the lock file.
const KDL_VERSION: &str = "6.7.1";

/// A number for everything that decides what a text parses to: another parser, another number.
/// Made of the sources themselves, so that nobody has to remember to raise it.
pub const PARSER: u64 = number_of(&[
    KDL_VERSION.as_bytes(),
    include_bytes!("tree.rs"),
    include_bytes!("syntax.rs"),
    include_bytes!("scan.rs"),
    include_bytes!("scan/lexer.rs"),
    include_bytes!("scan/slip.rs"),
]);

/// FNV-1a, which can be computed while compiling.
const fn number_of(sources: &[&[u8]]) -> u64 {
    let mut number = 0xcbf2_9ce4_8422_2325;
    let mut source = 0;
    while source < sources.len() {
        let mut at = 0;
        while at < sources[source].len() {
            number = (number ^ sources[source][at] as u64).wrapping_mul(0x0100_0000_01b3);
            at += 1;
        }
        number = (number ^ 0x100).wrapping_mul(0x0100_0000_01b3);
        source += 1;
    }
    number
}

#[cfg(test)]
mod tests {
    use super::{KDL_VERSION, number_of};

    /// What was parsed by another version of the crate must not be found again.
    #[test]
    fn the_parser_s_version_is_the_locked_one() {
        let lock = include_str!("../../Cargo.lock");
        let entry = format!("name = \"kdl\"\nversion = \"{KDL_VERSION}\"\n");
        assert!(lock.contains(&entry), "set KDL_VERSION to what Cargo.lock says of kdl");
    }

    #[test]
    fn every_byte_counts() {
        let numbers = [
            number_of(&[b"ab"]),
            number_of(&[b"a", b"b"]),
            number_of(&[b"b", b"a"]),
            number_of(&[b"ac"]),
        ];
        for (at, number) in numbers.iter().enumerate() {
            assert!(!numbers[..at].contains(number));
        }
    }
}
