//! Values that Windows gives a form: short names, versions, languages, exclusion patterns.

use crate::problem::Problem;

/// An 8.3 name in its canonical form.
pub(crate) fn short_name(written: &str) -> Result<(), Problem> {
    let (stem, extension) = written.rsplit_once('.').unwrap_or((written, ""));
    let is_part = |part: &str, length_max: usize| {
        part.len() <= length_max && part.bytes().all(is_short_name_byte)
    };
    let dots = written.bytes().filter(|b| *b == b'.').count();
    if !stem.is_empty()
        && dots <= 1
        && is_part(stem, 8)
        && is_part(extension, 3)
        && !written.ends_with('.')
    {
        return Ok(());
    }
    Err(Problem::new(
        "invalid-short-name",
        "not an 8.3 name",
        format!("`{written}` is not an 8.3 name"),
        "write at most 8 capitals, digits or signs, and at most 3 after a dot: `name=\"PROGRA~1\"`",
    ))
}

/// What may stand in an 8.3 name besides the dot.
fn is_short_name_byte(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"!#$%&'()-@^_`{}~".contains(&byte)
}

/// `10.0.26100.1742`: major, minor, build and, if said, revision.
pub(crate) fn version(written: &str) -> Result<[u32; 4], Problem> {
    let numbers: Option<Vec<u32>> = written.split('.').map(number).collect();
    match numbers.as_deref() {
        Some([major, minor, build]) => Ok([*major, *minor, *build, 0]),
        Some([major, minor, build, revision]) => Ok([*major, *minor, *build, *revision]),
        _ => Err(Problem::new(
            "invalid-version",
            "not a version",
            format!("`{written}` is not a version of Windows"),
            "write major, minor, build and revision: `version \"10.0.26100.1742\"`",
        )),
    }
}

fn number(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// A language tag such as `en-US`.
pub(crate) fn language(written: &str) -> Result<(), Problem> {
    let mut parts = written.split('-');
    let first = parts.next().unwrap_or_default();
    let is_part = |part: &str| {
        (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    if (2..=3).contains(&first.len())
        && first.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(is_part)
    {
        return Ok(());
    }
    Err(Problem::new(
        "invalid-language",
        "not a language",
        format!("`{written}` is not a language tag"),
        "write language and region, such as `\"en-US\"`",
    ))
}

/// A pattern of `WimScript.ini`: a path from the root, or a name anywhere.
pub(crate) fn exclusion(written: &str) -> Result<(), Problem> {
    let bad = |message: String, help: &str| {
        Err(Problem::new("invalid-pattern", "not a pattern", message, help))
    };
    if written.trim().is_empty() || written.chars().any(char::is_control) {
        return bad("a pattern must not be empty".into(), "write it like `exclude \"*.tmp\"`");
    }
    let path = written.replace('\\', "/");
    if path.as_bytes().get(1) == Some(&b':') {
        let message = format!("`{written}` names a drive, and an image has none");
        return bad(
            message,
            "write a path from the root of the image: `exclude \"/Windows/Temp/*\"`",
        );
    }
    if path == "/" || path.split('/').any(|name| name == "." || name == "..") {
        let message = format!("the pattern `{written}` names no file of the image");
        return bad(
            message,
            "write a path from the root of the image: `exclude \"/Windows/Temp/*\"`",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{exclusion, language, short_name, version};

    #[test]
    fn short_names_are_as_dos_had_them() {
        for good in ["PROGRA~1", "A.B", "README.TXT", "~$1"] {
            assert_eq!(short_name(good), Ok(()));
        }
        for bad in ["", ".TXT", "progra~1", "LONGER~10", "A.TEXT", "A.B.C", "A B", "A."] {
            assert!(short_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn versions_have_three_or_four_numbers() {
        assert_eq!(version("10.0.26100.1742"), Ok([10, 0, 26100, 1742]));
        assert_eq!(version("6.1.7601"), Ok([6, 1, 7601, 0]));
        for bad in ["", "10", "10.0", "10.0.x.1", "1.2.3.4.5", "10.0.+1.2", "10..1.2"] {
            assert!(version(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn languages_and_patterns_are_recognised() {
        for good in ["en-US", "sr-Latn-RS", "fil-PH", "de"] {
            assert_eq!(language(good), Ok(()));
        }
        for bad in ["", "english", "en_US", "e", "en-"] {
            assert!(language(bad).is_err(), "{bad}");
        }
        for good in ["*.tmp", "/Windows/Temp/*", r"\pagefile.sys", "System Volume Information"] {
            assert_eq!(exclusion(good), Ok(()));
        }
        for bad in ["", "/", r"C:\pagefile.sys", "../x"] {
            assert!(exclusion(bad).is_err(), "{bad}");
        }
    }
}
