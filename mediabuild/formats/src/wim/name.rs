//! `Name`: file and stream names as the UTF-16 units that Windows keeps.

use std::cmp::Ordering;
use std::fmt;

/// UTF-16 units, perhaps with unpaired surrogates. Ordered as NTFS orders siblings: by upcased
/// units, equal ones by the units themselves.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Name(Box<[u16]>);

impl Name {
    /// The name with these units.
    pub fn from_units(units: impl Into<Box<[u16]>>) -> Name {
        Name(units.into())
    }

    /// Its UTF-16 units.
    pub fn units(&self) -> &[u16] {
        &self.0
    }

    /// Whether it has no units: the root, the unnamed stream, no short name.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Size in a file without its terminator.
    pub(super) fn size_bytes(&self) -> usize {
        self.0.len() * 2
    }

    /// Whether Windows takes both for one name.
    pub fn equals_ignoring_case(&self, other: &Name) -> bool {
        // Upcasing maps one unit to one unit, so most siblings differ by length already.
        self.0.len() == other.0.len() && self.compare_ignoring_case(other) == Ordering::Equal
    }

    /// Its upcased units: equal exactly for names that Windows takes for one.
    pub(super) fn upcased(&self) -> Box<[u16]> {
        self.0.iter().copied().map(upcase).collect()
    }

    /// Compares upcased units.
    pub fn compare_ignoring_case(&self, other: &Name) -> Ordering {
        let left = self.0.iter().copied().map(upcase);
        left.cmp(other.0.iter().copied().map(upcase))
    }
}

/// The upper-case form of a unit where that is one unit as well, as in NTFS's `$UpCase`. Windows
/// never maps a letter outside ASCII into it (dotless i, long s), so neither does this.
pub(super) fn upcase(unit: u16) -> u16 {
    if unit < 0x80 {
        return if (0x61..=0x7a).contains(&unit) { unit - 0x20 } else { unit };
    }
    let Some(letter) = char::from_u32(u32::from(unit)) else { return unit };
    let mut upper = letter.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) => u16::try_from(u32::from(upper))
            .map_or(unit, |upper| if upper < 0x80 { unit } else { upper }),
        _ => unit,
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Name) -> Ordering {
        self.compare_ignoring_case(other).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Name) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Name {
        Name(text.encode_utf16().collect())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf16_lossy(&self.0))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf16_lossy(&self.0), f)
    }
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn case_does_not_distinguish_names_but_orders_them() {
        let (upper, lower) = (Name::from("README.TXT"), Name::from("readme.txt"));
        assert!(upper.equals_ignoring_case(&lower));
        assert!(upper < lower && upper != lower);
        assert!(Name::from("a_b") > Name::from("AZB"), "an underscore sorts after letters");
        assert!(Name::from("Ä").equals_ignoring_case(&Name::from("ä")));
        assert!(!Name::from("ı").equals_ignoring_case(&Name::from("I")));
        assert!(!Name::from("ß").equals_ignoring_case(&Name::from("SS")));
    }

    #[test]
    fn unpaired_surrogates_are_kept() {
        let name = Name::from_units(vec![0xd800, 0x61]);
        assert_eq!(name.units(), [0xd800, 0x61]);
        assert_eq!(name.to_string(), "\u{fffd}a");
    }
}
