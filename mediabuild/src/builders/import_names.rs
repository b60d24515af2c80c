//! Names that an import refuses, because Windows has no such file or takes two for one.

use mediabuild_store::{Content, Digest, DirectoryBuilder};

/// What to do about one.
pub(crate) const RENAME: &str = "rename it, or leave it out: exclude \"…\"";

/// Of files with `/` in their names those that an import refuses, each with why: all of them, where an
/// import ends at the first.
pub(crate) fn refused_names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<(String, String)> {
    let nothing = Content { digest: Digest::of(b""), size_bytes: 0 };
    let mut directory = DirectoryBuilder::default();
    let mut problem = |name: &str| match windows_refuses(name) {
        Some(problem) => Some(problem.to_owned()),
        None => directory.insert(name, nothing).err().map(|error| error.to_string()),
    };
    names.filter_map(|name| Some((name.to_owned(), problem(name)?))).collect()
}

/// What Windows does not take in a name, though this machine does.
pub(super) fn windows_refuses(path: &str) -> Option<&'static str> {
    let names = || path.split('/');
    if names().any(|name| name.contains(['<', '>', ':', '"', '|', '?', '*', '\\'])) {
        return Some("Windows refuses any of < > : \" | ? * \\ in a name");
    }
    if names().any(|name| name.ends_with(['.', ' '])) {
        return Some("Windows cannot open a name that ends in a dot or a space");
    }
    names().any(is_device).then_some("Windows takes this name for a device")
}

/// `aux`, `com1`, `nul.txt`: names of devices, whatever the extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    match stem.strip_prefix("com").or(stem.strip_prefix("lpt")) {
        Some(number) => number.len() == 1 && number != "0" && number.as_bytes()[0].is_ascii_digit(),
        None => ["con", "prn", "aux", "nul"].contains(&stem.as_str()),
    }
}
