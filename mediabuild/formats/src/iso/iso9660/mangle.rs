//! 8.3 names (ECMA-119 7.4.1, 10.1) for names that are not: for readers that know no better tree.

use std::collections::{BTreeMap, BTreeSet};

const BASE_MAX: usize = 8;
const EXTENSION_MAX: usize = 3;

/// The names that one directory has given so far.
#[derive(Default)]
pub(super) struct ShortNames {
    taken: BTreeSet<(String, String)>,
    /// The last number tried of each base and extension, so that thousands of like names are
    /// found a number each in one step.
    numbers: BTreeMap<(String, String), u32>,
}

impl ShortNames {
    /// The short name of a file: `README.TXT;1`.
    pub(super) fn file(&mut self, name: &str) -> Vec<u8> {
        let (base, extension) = match name.rsplit_once('.') {
            Some((base, extension)) if !base.is_empty() => (base, extension),
            _ => (name, ""),
        };
        let (base, extension) = self.give(base, extension);
        format!("{base}.{extension};1").into_bytes()
    }

    /// The short name of a directory, which has no extension.
    pub(super) fn directory(&mut self, name: &str) -> Vec<u8> {
        self.give(name, "").0.into_bytes()
    }

    fn give(&mut self, base: &str, extension: &str) -> (String, String) {
        let wanted = (allowed(base, BASE_MAX), allowed(extension, EXTENSION_MAX));
        if self.taken.insert(wanted.clone()) {
            return wanted;
        }
        let number = self.numbers.entry(wanted.clone()).or_default();
        loop {
            *number += 1;
            let digits = format!("{number:03}");
            let kept: String = wanted.0.chars().take(BASE_MAX - digits.len()).collect();
            let given = (kept + &digits, wanted.1.clone());
            if self.taken.insert(given.clone()) {
                return given;
            }
        }
    }
}

/// The first characters, in upper case, others than letters and digits as `_`.
fn allowed(text: &str, max: usize) -> String {
    let allowed = |character: char| match character.to_ascii_uppercase() {
        character @ ('A'..='Z' | '0'..='9') => character,
        _ => '_',
    };
    text.chars().take(max).map(allowed).collect()
}

#[cfg(test)]
mod tests {
    use super::ShortNames;

    #[test]
    fn names_are_short_and_differ() {
        let mut names = ShortNames::default();
        let mut file = |name| String::from_utf8(names.file(name)).expect("ASCII");
        assert_eq!(file("boot.wim"), "BOOT.WIM;1");
        assert_eq!(file("bootmgr"), "BOOTMGR.;1");
        assert_eq!(file("a rather long name.text"), "A_RATHER.TEX;1");
        assert_eq!(file("a rather longer.tex"), "A_RAT001.TEX;1");
        assert_eq!(file("a rather.texas"), "A_RAT002.TEX;1");
        assert_eq!(file("Ünïcode 💾.é"), "_N_CODE_._;1");
        assert_eq!(file(".hidden"), "_HIDDEN.;1");
        assert_eq!(names.directory("a.b"), b"A_B");
    }

    #[test]
    fn thousands_of_like_names_differ() {
        let mut names = ShortNames::default();
        let given: std::collections::BTreeSet<Vec<u8>> =
            (0..12_000).map(|at| names.file(&format!("like every other {at}"))).collect();
        assert_eq!(given.len(), 12_000);
        assert!(given.iter().all(|name| name.len() == 8 + 3));
    }
}
