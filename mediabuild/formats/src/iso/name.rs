//! `Name`: one component of a path that both UDF and Windows accept, ordered as Windows compares.

use std::cmp::Ordering;

use super::error::WriteError;

/// The most bytes a UDF file identifier has, its compression id excluded (OSTA UDF 1.02, 2.3.4.3).
const NAME_MAX_BYTES: usize = 254;

/// A file or directory name. Ordered by its upper-cased UTF-16 units, then by its own bytes: names
/// that differ only by case are neighbours, and a directory's order is the same on every machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Takes `text` if it can be a name; the path it stands in is for the error.
    pub fn parse(text: &str, path: &str) -> Result<Name, WriteError> {
        let bad = |reason| WriteError::BadName { path: path.to_owned(), reason };
        if text.is_empty() || text == "." || text == ".." {
            return Err(bad("a component is empty, `.` or `..`"));
        }
        if text.chars().any(is_refused) {
            return Err(bad("Windows refuses control characters and any of \\ : * ? \" < > |"));
        }
        if text.ends_with(['.', ' ']) {
            return Err(bad("Windows cannot open a name that ends in a dot or a space"));
        }
        if cs0_size_bytes(text) > NAME_MAX_BYTES {
            return Err(bad("a name has at most 254 bytes: Latin-1 characters, else UTF-16 units"));
        }
        Ok(Name(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether Windows would take the two for one name.
    pub fn collides_with(&self, other: &Name) -> bool {
        folded(&self.0).eq(folded(&other.0))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_case = utf16(folded(&self.0)).cmp(utf16(folded(&other.0)));
        by_case.then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The characters of `text` in upper case, one for one as the file systems of Windows map them:
/// a character whose upper case is several (`ß`) stays.
pub(crate) fn folded(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().map(|character| {
        let mut upper = character.to_uppercase();
        match (upper.next(), upper.next()) {
            (Some(single), None) => single,
            _ => character,
        }
    })
}

/// How many bytes `text` takes in OSTA compressed Unicode, the compression id excluded.
pub(super) fn cs0_size_bytes(text: &str) -> usize {
    if text.chars().all(|character| u32::from(character) <= 0xFF) {
        text.chars().count()
    } else {
        2 * text.encode_utf16().count()
    }
}

fn utf16(characters: impl Iterator<Item = char>) -> impl Iterator<Item = u16> {
    characters.flat_map(|character| {
        let mut units = [0; 2];
        let count = character.encode_utf16(&mut units).len();
        units.into_iter().take(count)
    })
}

fn is_refused(character: char) -> bool {
    character.is_control()
        || matches!(character, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
}
