//! The file `format`: the version of a store's layout, and the features it uses.
//!
//! ```text
//! mediabuild store 2
//! requires NAME           who does not know it must not use the store
//! has NAME                who does not know it may go on
//! ```
//! Version 1 had neither leases nor a gate, so a program of then would neither see a collection nor
//! be seen by one: a store is brought to version 2 when it is opened, and such a program refuses it.
//! No feature has a name yet. One that changes what is in files or tables so that older programs
//! would misread or lose it gets a `requires` line; a new version is for when that is not enough.

use std::path::Path;

use crate::Error;

/// The version that this code reads and writes.
pub(super) const VERSION: u32 = 2;

/// The oldest version that is brought up to date.
const VERSION_MIN: u32 = 1;

/// The features that this code knows.
const FEATURES: [&str; 0] = [];

const PREFIX: &str = "mediabuild store ";

/// What a new store's file holds.
pub(super) fn text() -> String {
    format!("{PREFIX}{VERSION}\n")
}

/// The version that the file at `path` tells; refuses what this code does not know.
pub(super) fn check(path: &Path, bytes: &[u8]) -> Result<u32, Error> {
    let refuse = |what: String| Err(Error::BadFormat { path: path.to_owned(), what });
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    let version = lines.next().and_then(|line| line.strip_prefix(PREFIX)?.parse().ok());
    let Some(version) = version else {
        return refuse("is not the format file of a store".to_owned());
    };
    if !(VERSION_MIN..=VERSION).contains(&version) {
        return refuse(format!(
            "is of store format {version}, and this program knows {VERSION_MIN} to {VERSION}; \
             use a newer mediabuild"
        ));
    }
    for line in lines {
        match line.split_once(' ') {
            Some(("requires", name)) if FEATURES.contains(&name) => {}
            Some(("has", _)) => {}
            Some(("requires", name)) => {
                return refuse(format!(
                    "requires the feature `{name}`, which this program does not know; \
                     use a newer mediabuild"
                ));
            }
            _ => return refuse(format!("has the line `{line}`, which says nothing known")),
        }
    }
    Ok(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        check(Path::new("format"), text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_known_is_taken() {
        for (text, version) in [
            (text().as_str(), VERSION),
            ("mediabuild store 1\n", 1),
            ("mediabuild store 2", 2),
            ("mediabuild store 2\nhas colours\n", 2),
        ] {
            assert_eq!(check(Path::new("format"), text.as_bytes()).unwrap(), version, "{text}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        assert!(refusal("mediabuild store 3\n").contains("format 3"));
        assert!(refusal("mediabuild store 0\n").contains("format 0"));
        assert!(refusal("mediabuild store 2\nrequires zstd\n").contains("`zstd`"));
        assert!(refusal("mediabuild store 2\nzstd\n").contains("`zstd`"));
        for text in ["", "\n", "mediabuild store two\n", "mediabuild store -2\n", "\u{fffd}"] {
            assert!(refusal(text).contains("not the format file"), "{text}");
        }
    }
}
