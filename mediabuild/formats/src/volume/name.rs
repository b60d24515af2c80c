//! `Name`: one component of a path that Windows accepts, ordered as Windows compares.

use std::cmp::Ordering;

/// A file or directory name. Ordered by its upper-cased UTF-16 units, then by its own bytes: names
/// that differ only by case are neighbours, and a directory's order is the same on every machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name(String);

impl Name {
    /// Takes `text` if it can be a name, of any length; else says why it cannot.
    pub(super) fn parse(text: &str) -> Result<Name, &'static str> {
        if text.is_empty() || text == "." || text == ".." {
            return Err("a component is empty, `.` or `..`");
        }
        if text.chars().any(is_refused) {
            return Err("Windows refuses control characters and any of \\ : * ? \" < > |");
        }
        if text.ends_with(['.', ' ']) {
            return Err("Windows cannot open a name that ends in a dot or a space");
        }
        Ok(Name(text.to_owned()))
    }

    /// The name as text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether Windows would take the two for one name.
    pub(super) fn collides_with(&self, other: &Name) -> bool {
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
