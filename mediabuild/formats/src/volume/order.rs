//! `Order`: which files' data comes first on a volume.

use std::collections::{BTreeMap, BTreeSet};

use super::name::folded;

/// What the boot loaders read first, so it lies at the front of the data, as Microsoft's own order
/// file has it.
pub const BOOT_ORDER: [&str; 7] = [
    "boot/bcd",
    "boot/boot.sdi",
    "boot/etfsboot.com",
    "boot/fonts/*",
    "efi/**",
    "bootmgr*",
    "sources/boot.wim",
];

/// An order list, ready to compare. Plain paths are looked up, so a list of thousands costs no more
/// for each file than its folders are deep; only patterns with wildcards are tried one by one.
pub(crate) struct Order {
    /// Plain paths, case folded, with their position.
    plain: BTreeMap<String, usize>,
    /// Patterns with wildcards, with their position.
    patterns: Vec<(usize, Vec<Vec<char>>)>,
    /// How many there are of both.
    count: usize,
}

impl Order {
    pub(crate) fn of(list: &[String]) -> Order {
        let (mut plain, mut patterns) = (BTreeMap::new(), Vec::new());
        for (at, pattern) in list.iter().enumerate() {
            if pattern.contains(['*', '?']) {
                patterns.push((at, components(pattern)));
            } else {
                plain.entry(folded_path(pattern)).or_insert(at);
            }
        }
        Order { plain, patterns, count: list.len() }
    }

    /// The position of the first pattern that `path` matches; one past the last if none does.
    pub(crate) fn rank(&self, path: &str) -> usize {
        let whole = folded_path(path);
        let plain = with_folders(&whole).filter_map(|path| self.plain.get(path)).min();
        let best = plain.copied().unwrap_or(self.count);
        let components = components(path);
        let earlier = self.patterns.iter().take_while(|(at, _)| *at < best);
        let mut matching = earlier.filter(|(_, pattern)| is_match(pattern, &components));
        matching.next().map_or(best, |(at, _)| *at)
    }
}

/// Positions of those of `list` (see [`Options::order`](crate::iso::Options::order)) that no path matches.
pub fn unmatched_order<'a>(
    list: &[String],
    paths: impl IntoIterator<Item = &'a str>,
) -> Vec<usize> {
    let Order { plain, mut patterns, .. } = Order::of(list);
    let mut met: BTreeSet<String> = BTreeSet::new();
    for path in paths {
        let whole = folded_path(path);
        met.extend(
            with_folders(&whole).filter(|path| plain.contains_key(*path)).map(str::to_owned),
        );
        if !patterns.is_empty() {
            let components = components(path);
            patterns.retain(|(_, pattern)| !is_match(pattern, &components));
        }
    }
    let plain = plain.into_iter().filter(|(path, _)| !met.contains(path)).map(|(_, at)| at);
    let mut unmatched: Vec<usize> = plain.chain(patterns.into_iter().map(|(at, _)| at)).collect();
    unmatched.sort_unstable();
    unmatched
}

/// A path and the folders it lies in, innermost first.
fn with_folders(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.rsplit_once('/').map(|(folder, _)| folder))
}

fn folded_path(path: &str) -> String {
    folded(path.trim_matches('/')).collect()
}

fn components(path: &str) -> Vec<Vec<char>> {
    path.trim_matches('/').split('/').map(|component| folded(component).collect()).collect()
}

/// Whether the pattern names the path or a directory it lies in.
fn is_match(pattern: &[Vec<char>], path: &[Vec<char>]) -> bool {
    backtrack(
        pattern,
        path,
        |component| component == &['*', '*'],
        |pattern, component| {
            backtrack(
                pattern,
                component,
                |&character| character == '*',
                |&pattern, &character| pattern == '?' || pattern == character,
                Tail::Whole,
            )
        },
        Tail::Prefix,
    )
}

/// What may be left when the pattern ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tail {
    /// Nothing.
    Whole,
    /// Anything: a directory stands for all it holds.
    Prefix,
}

/// Matches with a wildcard that stands for any number of items. Only the last wildcard is ever
/// tried again, so the time is the product of the two lengths at most.
fn backtrack<T>(
    pattern: &[T],
    items: &[T],
    is_wildcard: impl Fn(&T) -> bool,
    is_equal: impl Fn(&T, &T) -> bool,
    tail: Tail,
) -> bool {
    let (mut at, mut item) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        match pattern.get(at) {
            None if tail == Tail::Prefix || item == items.len() => return true,
            Some(wildcard) if is_wildcard(wildcard) => {
                at += 1;
                retry = Some((at, item));
                continue;
            }
            Some(expected) if item < items.len() && is_equal(expected, &items[item]) => {
                (at, item) = (at + 1, item + 1);
                continue;
            }
            _ => {}
        }
        match retry {
            Some((after_wildcard, matched)) if matched < items.len() => {
                retry = Some((after_wildcard, matched + 1));
                (at, item) = (after_wildcard, matched + 1);
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        is_match(&components(pattern), &components(path))
    }

    #[test]
    fn patterns_match_files_and_directories() {
        assert!(matches("boot/bcd", "BOOT/BCD"));
        assert!(matches("boot/fonts/*", "boot/fonts/segoe.ttf"));
        assert!(matches("efi/**", "efi/microsoft/boot/bcd"));
        assert!(matches("efi", "efi/microsoft/boot/bcd"));
        assert!(matches("**/boot.wim", "a/b/boot.wim"));
        assert!(matches("boot*", "bootmgr"));
        assert!(matches("*.ef?", "bootmgr.efi"));
        assert!(!matches("boot/bcd", "boot/bcd2"));
        assert!(!matches("boot/*.ttf", "boot/fonts/segoe.ttf"));
        assert!(!matches("boot/bcd", "boot"));
        assert!(!matches("efi", "efi2/x"));
    }

    #[test]
    fn rank_is_the_first_match() {
        let order = Order::of(&["b".to_owned(), "*".to_owned()]);
        assert_eq!((order.rank("b"), order.rank("c")), (0, 1));
        assert_eq!(Order::of(&[]).rank("c"), 0);
        let order = Order::of(&["x/*".to_owned(), "X/B".to_owned(), "y".to_owned()]);
        assert_eq!([order.rank("x/b"), order.rank("Y/z/b"), order.rank("z")], [0, 2, 3]);
        let order = Order::of(&["x/b".to_owned(), "x".to_owned(), "*/b".to_owned()]);
        assert_eq!([order.rank("X/b"), order.rank("x/c"), order.rank("z/b")], [0, 1, 2]);
    }

    #[test]
    fn what_names_nothing_is_told() {
        let list = ["boot/bcd", "Boot/Nothing", "efi/**", "*.sdi", "boot"].map(str::to_owned);
        assert_eq!(unmatched_order(&list, ["BOOT/BCD", "x/boot.sdi"]), [1, 2, 3]);
        assert_eq!(unmatched_order(&list, []), [0, 1, 2, 3, 4]);
    }
}
