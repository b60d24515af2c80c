//! Long names: what may be one, and when FAT takes two for one.

use super::error::WriteError;
use crate::iso::name::folded;

/// The most UTF-16 units of a long name.
pub(super) const NAME_MAX_UNITS: usize = 255;

/// Checks one component; the path it stands in is for the error.
pub(super) fn check(name: &str, path: &str) -> Result<(), WriteError> {
    let bad = |reason| Err(WriteError::BadName { path: path.to_owned(), reason });
    if name.is_empty() || name == "." || name == ".." {
        return bad("a component is empty, `.` or `..`");
    }
    if name.chars().any(is_refused) {
        return bad("Windows refuses control characters and any of \\ : * ? \" < > |");
    }
    if name.ends_with(['.', ' ']) {
        return bad("Windows cannot open a name that ends in a dot or a space");
    }
    if name.encode_utf16().count() > NAME_MAX_UNITS {
        return bad("a name has at most 255 UTF-16 units");
    }
    Ok(())
}

/// What two names share that FAT takes for one: the UTF-16 units in upper case.
pub(super) fn key(name: &str) -> Vec<u16> {
    folded(name).collect::<String>().encode_utf16().collect()
}

fn is_refused(character: char) -> bool {
    character.is_control()
        || matches!(character, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
}
