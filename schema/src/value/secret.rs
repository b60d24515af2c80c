//! Secret references: where a secret is, never the secret.

use super::path::resolve;
use crate::problem::Problem;

/// Where a secret is, with a path still relative to the project folder.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Secret {
    Environment(String),
    File(String),
}

const HELP: &str = "write `(secret)\"env:NAME\"` or `(secret)\"file:PATH\"`";

/// Parses `env:NAME` or `file:PATH`.
pub(crate) fn parse(written: &str, file: &str) -> Result<Secret, Problem> {
    match written.split_once(':') {
        Some(("env", name)) => environment(name),
        Some(("file", path)) => secret_file(path, file),
        Some(("age", _)) => Err(Problem::new(
            "unsupported-secret",
            "not supported",
            "`age:` secrets are not supported yet",
            HELP,
        )),
        // The text itself is not repeated: it may be the secret.
        _ => Err(Problem::new(
            "invalid-secret",
            "not a reference",
            "a secret is named by where it is, and never stands in a definition",
            HELP,
        )),
    }
}

fn environment(name: &str) -> Result<Secret, Problem> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty()
        || name.starts_with(|c: char| c.is_ascii_digit())
        || !name.chars().all(is_word)
    {
        let message = "an environment variable's name has letters, digits and `_`";
        let help = "write a name, such as `(secret)\"env:MEDIA_PASSWORD\"`";
        return Err(Problem::new("invalid-secret", "not a name", message, help));
    }
    Ok(Secret::Environment(name.to_string()))
}

/// Secrets are the one kind of file that may lie outside the project: they must not be in git.
fn secret_file(path: &str, file: &str) -> Result<Secret, Problem> {
    let is_absolute = path.starts_with('/') && !path.chars().any(char::is_control);
    if is_absolute {
        Ok(Secret::File(path.to_string()))
    } else {
        resolve(file, path).map(Secret::File)
    }
}
