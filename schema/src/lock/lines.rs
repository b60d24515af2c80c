//! The fast reader of a lock: only of the canonical spelling, line by line.

use super::{DECLARED_DIGITS, DIGEST_DIGITS, HEAD, LockEntry, LockKind, LockLine, is_hex};
use crate::text::{Span, TextIdx};

/// The entries, if every line is spelled as `mediabuild lock` does, without escapes.
pub(super) fn read(idx: TextIdx, text: &str) -> Option<Vec<LockLine>> {
    let mut offset_bytes = HEAD.len();
    let mut lines = Vec::new();
    for line in text.strip_prefix(HEAD)?.split_inclusive('\n') {
        let written = line.strip_suffix('\n')?;
        let span = Span { text: idx, offset_bytes, size_bytes: written.len() };
        lines.push(LockLine { entry: entry(written)?, span });
        offset_bytes += line.len();
    }
    Some(lines)
}

fn entry(line: &str) -> Option<LockEntry> {
    let (node, rest) = line.split_once(" \"")?;
    let kind = LockKind::named(node)?;
    let (name, rest) = rest.split_once("\" digest=\"")?;
    let (digest, rest) = rest.strip_prefix(kind.digest_prefix())?.split_once("\" size=")?;
    let (size, rest) = rest.split_once(" declared=\"")?;
    let declared = rest.strip_suffix('"')?;
    let is_plain =
        !name.is_empty() && !name.contains(['"', '\\']) && !name.contains(char::is_control);
    let is_number = size.bytes().all(|b| b.is_ascii_digit());
    let is_valid =
        is_plain && is_number && is_hex(digest, DIGEST_DIGITS) && is_hex(declared, DECLARED_DIGITS);
    is_valid.then_some(LockEntry {
        name: name.to_owned(),
        kind,
        declared: declared.to_owned(),
        digest: digest.to_owned(),
        size_bytes: size.parse().ok()?,
    })
}
