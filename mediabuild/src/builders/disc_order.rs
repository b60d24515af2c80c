//! Order files, as oscdimg's `-yo` takes them: what lies first on a disc.

use mediabuild_formats::volume::{BOOT_ORDER, unmatched_order};
use mediabuild_store::Content;

use super::BuildContext;
use super::medium_tree::MediumTree;
use crate::failure::Failure;

/// More than this lists no files of a disc.
const SIZE_MAX_BYTES: u64 = 16 << 20;

/// The lines of an order file, before what a machine boots with. Warns of those that name nothing.
pub(super) fn order(
    file: &Content,
    medium: &MediumTree,
    context: &BuildContext<'_>,
) -> Result<Vec<String>, Failure> {
    if file.size_bytes > SIZE_MAX_BYTES {
        let message = format!("the order file has more than {SIZE_MAX_BYTES} bytes");
        return Err(Failure::build(message));
    }
    let lines = lines(&context.read_whole(file)?);
    let mut order: Vec<String> = lines.iter().map(|(_, path)| path.clone()).collect();
    for at in unmatched_order(&order, medium.files().map(|(path, _)| path.as_str())) {
        let (line, path) = &lines[at];
        let what = format!("line {line} of the order file: nothing on the medium is `{path}`");
        (context.warn)(&what);
    }
    order.extend(BOOT_ORDER.map(str::to_owned));
    Ok(order)
}

/// Paths with `/` and the numbers of their lines. What is not UTF-8 is taken for Latin-1: the
/// tool that this form is of reads ANSI.
fn lines(bytes: &[u8]) -> Vec<(usize, String)> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.trim_start_matches('\u{feff}').to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    };
    let path = |line: &str| line.trim().replace('\\', "/").trim_matches('/').to_owned();
    let numbered = text.lines().enumerate().map(|(at, line)| (at + 1, path(line)));
    numbered.filter(|(_, path)| !path.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn lines_are_paths_of_either_slash_and_encoding() {
        let read = lines(b"boot\\bcd\r\n\r\n  \\boot\\boot.sdi \nf\xfcr.txt");
        let wanted = [(1, "boot/bcd"), (3, "boot/boot.sdi"), (4, "f\u{fc}r.txt")];
        assert_eq!(read, wanted.map(|(line, path)| (line, path.to_owned())));
    }
}
