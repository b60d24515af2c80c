//! Order files, as oscdimg's `-yo` takes them: what lies first on a disc.

use mediabuild_formats::volume::{BOOT_ORDER, unmatched_order};
use mediabuild_store::Content;

use super::BuildContext;
use super::medium_tree::MediumTree;
use crate::failure::Failure;

/// More than this lists no files of a disc.
const SIZE_MAX_BYTES: u64 = 16 << 20;
/// A list of another disc's files needs no thousands of warnings.
const TOLD_MAX: usize = 10;

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
    let bytes = context.read_whole(file)?;
    refuse_no_text(&bytes)?;
    let lines = lines(&bytes);
    let mut order: Vec<String> = lines.iter().map(|(_, path)| path.clone()).collect();
    let unmatched = unmatched_order(&order, medium.files().map(|(path, _)| path.as_str()));
    for &at in unmatched.iter().take(TOLD_MAX) {
        let (line, path) = &lines[at];
        let what = format!("line {line} of the order file: nothing on the medium is `{path}`");
        (context.warn)(&what);
    }
    if let Some(more @ 1..) = unmatched.len().checked_sub(TOLD_MAX) {
        (context.warn)(&format!("{more} more lines of the order file name nothing on the medium"));
    }
    order.extend(BOOT_ORDER.map(str::to_owned));
    Ok(order)
}

/// A file of another kind, or in UTF-16, as PowerShell's `>` writes it, would order nothing.
fn refuse_no_text(bytes: &[u8]) -> Result<(), Failure> {
    let is_control = |byte: &u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
    let Some(at) = bytes.iter().position(is_control) else { return Ok(()) };
    let line = bytes[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
    let message = format!("the order file is no text: line {line} has the byte {:#04x}", bytes[at]);
    Err(Failure::build(message).help("save it as UTF-8 or ANSI, a path on each line"))
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
    use super::{lines, refuse_no_text};

    #[test]
    fn what_is_no_text_is_refused_with_its_line() {
        refuse_no_text("\u{feff}boot\\bcd\r\n\tf\u{fc}r.txt".as_bytes()).unwrap();
        refuse_no_text(b"f\xfcr.txt").unwrap();
        let utf16: Vec<u8> = "a\nb".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let refused = refuse_no_text(&utf16).unwrap_err();
        assert!(refused.to_string().contains("line 1 has the byte 0x00"), "{refused}");
        let refused = refuse_no_text(b"boot\n\x1b[31mred").unwrap_err();
        assert!(refused.to_string().contains("line 2 has the byte 0x1b"), "{refused}");
    }

    #[test]
    fn lines_are_paths_of_either_slash_and_encoding() {
        let read = lines(b"boot\\bcd\r\n\r\n  \\boot\\boot.sdi \nf\xfcr.txt");
        let wanted = [(1, "boot/bcd"), (3, "boot/boot.sdi"), (4, "f\u{fc}r.txt")];
        assert_eq!(read, wanted.map(|(line, path)| (line, path.to_owned())));
    }
}
