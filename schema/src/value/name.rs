//! Names of definitions: they become folder and file names on Windows, and targets on a command
//! line.

use crate::problem::Problem;

/// Leaves room for an extension and a folder within Windows' 260 characters.
const UNITS_MAX: usize = 64;

/// `@` and braces are the language's own (targets and axes); the rest cannot stand in a file name.
const FORBIDDEN: &[char] = &['/', '\\', ':', '*', '?', '"', '<', '>', '|', '@', '{', '}'];

/// Device names, which Windows opens in every folder and with every extension.
const RESERVED: &[&str] = &["con", "prn", "aux", "nul", "conin$", "conout$"];

/// Checks the name of a definition.
pub(crate) fn check(name: &str) -> Result<(), Problem> {
    let wrong = wrong(name)?;
    match wrong {
        None => Ok(()),
        Some((label, message)) => {
            let help = format!("call it `\"{}\"`, for example", repaired(name));
            Err(Problem::new("invalid-name", label, message, help))
        }
    }
}

type Wrong = Option<(&'static str, String)>;

fn wrong(name: &str) -> Result<Wrong, Problem> {
    let units = name.encode_utf16().count();
    if name.is_empty() {
        let message = "a name must not be empty";
        return Err(Problem::new(
            "invalid-name",
            "empty",
            message,
            "write a name between the quotes",
        ));
    }
    Ok(if let Some(c) = name.chars().find(|c| FORBIDDEN.contains(c) || c.is_control()) {
        let c = c.escape_debug();
        Some(("not a name", format!("a name becomes a folder name and must not contain `{c}`")))
    } else if name.trim() != name || name.starts_with('.') || name.ends_with('.') {
        Some(("not a name", "a name must not begin or end with a space or dot".into()))
    } else if is_reserved(name) {
        Some(("a device", format!("`{name}` names a device on Windows")))
    } else if units > UNITS_MAX {
        let message = format!("a name has {UNITS_MAX} characters at most, this has {units}");
        Some(("too long", message))
    } else {
        None
    })
}

/// Whether Windows takes `name` for a device.
pub(crate) fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end().to_lowercase();
    let port = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    let is_port = port.is_some_and(|n| {
        matches!(n, "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³")
    });
    is_port || RESERVED.contains(&stem.as_str())
}

/// A name near `name` that is allowed.
fn repaired(name: &str) -> String {
    let letters = name.chars().map(|c| match c {
        c if FORBIDDEN.contains(&c) || c.is_control() => '-',
        c => c,
    });
    let letters: String = letters.take(UNITS_MAX / 2).collect();
    let trimmed = letters.trim_matches(|c: char| matches!(c, ' ' | '.' | '-'));
    if trimmed.is_empty() || is_reserved(trimmed) {
        format!("my-{trimmed}").trim_end_matches('-').to_string()
    } else {
        trimmed.to_string()
    }
}
