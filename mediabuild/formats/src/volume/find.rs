//! `find`: the entry that a path names, as Windows finds it.

use super::entry::Entry;
use super::name::folded;

/// The file or folder that `path` names, slashes around it or not: the one that is spelt so, else the
/// first that differs by case only. A volume may have both `README` and `readme`.
pub fn find<'a>(entries: &'a [Entry], path: &str) -> Option<&'a Entry> {
    let path = path.trim_matches('/');
    let exact = entries.iter().find(|entry| entry.path == path);
    exact.or_else(|| entries.iter().find(|entry| folded(&entry.path).eq(folded(path))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_name_is_preferred_and_case_ignored_otherwise() {
        let entries = ["README", "readme", "Dir/ÄB"].map(|path| Entry::named(path.to_owned()));
        let path = |path: &str| find(&entries, path).map(|entry| entry.path.as_str());
        assert_eq!(path("readme"), Some("readme"));
        assert_eq!(path("/README/"), Some("README"));
        assert_eq!(path("ReadMe"), Some("README"));
        assert_eq!(path("dir/äb"), Some("Dir/ÄB"));
        assert_eq!(path("dir"), None);
    }
}
