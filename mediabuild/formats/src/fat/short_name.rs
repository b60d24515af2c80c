//! Short names: the 8.3 name that stands beside every long one, unique in its directory and the
//! same on every machine. ASCII only, because other bytes mean what a code page says.

use std::collections::{BTreeMap, BTreeSet};

/// Base and extension, padded with spaces.
pub(super) type ShortName = [u8; 11];

const BASE_BYTES: usize = 8;
const EXTENSION_BYTES: usize = 3;
/// What is left of the base before the first tail, `~1`.
const STEM_BYTES: usize = 6;

/// A name's two forms in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Short {
    pub(super) name: ShortName,
    /// The name is more than this: entries for the long one are needed.
    pub(super) needs_long: bool,
}

/// The short names of a directory's names, in their order. Names that are 8.3 themselves keep it;
/// the others get a tail in order, `PROGRA~1`, so no short name is another one's long name.
pub(super) fn of_directory<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Vec<Short> {
    let mut taken: BTreeSet<ShortName> = names.clone().filter_map(exact).collect();
    let mut next_tails: BTreeMap<(Vec<u8>, Vec<u8>), u32> = BTreeMap::new();
    let short = |name: &'a str| match exact(name) {
        Some(short) => Short { name: short, needs_long: written(&short) != name },
        None => {
            let (stem, extension) = (stem(name), extension(name));
            let tail = next_tails.entry((stem.clone(), extension.clone())).or_insert(1);
            loop {
                let candidate = with_tail(&stem, &extension, *tail);
                *tail += 1;
                if taken.insert(candidate) {
                    return Short { name: candidate, needs_long: true };
                }
            }
        }
    };
    names.map(short).collect()
}

/// The checksum of a short name that its long entries carry.
pub(super) fn checksum(name: &ShortName) -> u8 {
    name.iter().fold(0, |sum: u8, byte| sum.rotate_right(1).wrapping_add(*byte))
}

/// The name as people write it: base, a dot, extension.
pub(super) fn written(name: &ShortName) -> String {
    let text = |bytes: &[u8]| -> String {
        bytes.iter().map(|&byte| char::from(byte)).collect::<String>().trim_end().to_owned()
    };
    let (base, extension) = (text(&name[..BASE_BYTES]), text(&name[BASE_BYTES..]));
    if extension.is_empty() { base } else { format!("{base}.{extension}") }
}

/// The short name of a name that is one, whatever its case.
fn exact(name: &str) -> Option<ShortName> {
    let (base, extension) = name.split_once('.').unwrap_or((name, ""));
    let is_plain = |part: &str| part.bytes().all(|byte| is_short(byte.to_ascii_uppercase()));
    let has_dot_only = name.contains('.') && extension.is_empty();
    let fits = (1..=BASE_BYTES).contains(&base.len()) && extension.len() <= EXTENSION_BYTES;
    (fits && !has_dot_only && is_plain(base) && is_plain(extension))
        .then(|| padded(base.as_bytes(), extension.as_bytes()))
}

/// What is left of a long name's base.
fn stem(name: &str) -> Vec<u8> {
    let name = name.trim_start_matches(['.', ' ']);
    let base = name.rsplit_once('.').map_or(name, |(base, _)| base);
    let stem = shortened(base, STEM_BYTES);
    if stem.is_empty() { b"_".to_vec() } else { stem }
}

fn extension(name: &str) -> Vec<u8> {
    let name = name.trim_start_matches(['.', ' ']);
    name.rsplit_once('.').map_or(Vec::new(), |(_, extension)| shortened(extension, EXTENSION_BYTES))
}

/// The first characters in upper case: spaces and dots left out, what is not ASCII as `_`.
fn shortened(text: &str, size: usize) -> Vec<u8> {
    let kept = text.chars().filter(|character| !matches!(character, ' ' | '.'));
    let short = kept.map(|character| match u8::try_from(character) {
        Ok(byte) if is_short(byte.to_ascii_uppercase()) => byte.to_ascii_uppercase(),
        _ => b'_',
    });
    short.take(size).collect()
}

fn with_tail(stem: &[u8], extension: &[u8], tail: u32) -> ShortName {
    let tail = format!("~{tail}");
    let kept = stem.len().min(BASE_BYTES - tail.len());
    padded(&[&stem[..kept], tail.as_bytes()].concat(), extension)
}

fn padded(base: &[u8], extension: &[u8]) -> ShortName {
    let mut name = [b' '; BASE_BYTES + EXTENSION_BYTES];
    name[..base.len()].copy_from_slice(base);
    name[BASE_BYTES..BASE_BYTES + extension.len()].copy_from_slice(extension);
    name.make_ascii_uppercase();
    name
}

fn is_short(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"!#$%&'()-@^_`{}~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shorts(names: &[&str]) -> Vec<String> {
        of_directory(names.iter().copied()).iter().map(|short| written(&short.name)).collect()
    }

    #[test]
    fn names_that_are_short_keep_it() {
        assert_eq!(
            shorts(&["BOOT.WIM", "boot.sdi", "a", "x-1.~2"]),
            ["BOOT.WIM", "BOOT.SDI", "A", "X-1.~2"]
        );
        let needs_long = |name| of_directory([name].into_iter())[0].needs_long;
        assert!(!needs_long("BOOTX64.EFI"));
        assert!(needs_long("bootx64.efi"));
    }

    #[test]
    fn others_get_a_tail() {
        let names = ["Program Files", "program data", "a.b.c", ".hidden", "💾", "+.txt", "x.html"];
        let expected = ["PROGRA~1", "PROGRA~2", "AB~1.C", "HIDDEN~1", "_~1", "_~1.TXT", "X~1.HTM"];
        assert_eq!(shorts(&names), expected);
    }

    #[test]
    fn a_tail_never_takes_what_is_another_ones_name() {
        assert_eq!(shorts(&["Program Files", "PROGRA~1"]), ["PROGRA~2", "PROGRA~1"]);
    }

    #[test]
    fn thousands_of_alike_names_are_told_apart() {
        let names: Vec<String> =
            (0..12_000).map(|at| format!("driver-file-{at}.inf_loc")).collect();
        let shorts = of_directory(names.iter().map(String::as_str));
        let unique: BTreeSet<ShortName> = shorts.iter().map(|short| short.name).collect();
        assert_eq!(unique.len(), names.len());
        assert_eq!(written(&shorts[11_999].name), "DR~12000.INF");
    }
}
