//! `Order`: which files' data comes first on a disc.

use super::name::folded;

/// The patterns of an order list, ready to compare.
pub(super) struct Order {
    patterns: Vec<Vec<Vec<char>>>,
}

impl Order {
    pub(super) fn of(patterns: &[String]) -> Order {
        Order { patterns: patterns.iter().map(|pattern| components(pattern)).collect() }
    }

    /// The position of the first pattern that `path` matches; one past the last if none does.
    pub(super) fn rank(&self, path: &str) -> usize {
        let path = components(path);
        let position = self.patterns.iter().position(|pattern| is_match(pattern, &path));
        position.unwrap_or(self.patterns.len())
    }
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
    }
}
