//! The file a medium is exported to, relative to the result folder.

use super::name::is_reserved;
use super::path::inside;
use crate::problem::Problem;

/// The normalised path of `written` below the result folder.
pub(crate) fn resolve(written: &str) -> Result<String, Problem> {
    let path = inside(written).map_err(|problem| match problem.code {
        "path-outside" => outside(written),
        _ => problem,
    })?;
    match path.split('/').find(|name| !can_be_made(name)) {
        None => Ok(path),
        Some(name) => Err(Problem::new(
            "invalid-path",
            "cannot be made",
            format!("`{name}` cannot be a file name on Windows"),
            "write letters, digits, `-` and `_`, such as `\"factory.wim\"`",
        )),
    }
}

fn outside(written: &str) -> Problem {
    let name = written.rsplit('/').next().unwrap_or(written);
    let name = if matches!(name, "" | "." | "..") { "factory.wim" } else { name };
    let message = format!("`{written}` leaves the result folder");
    let help = format!("write `output \"{name}\"`; `build --out` chooses the folder");
    Problem::new("path-outside", "outside `result/`", message, help)
}

/// Whether Windows can hold a file of that name: staging centres copy results there.
pub(super) fn can_be_made(name: &str) -> bool {
    let has_forbidden = name.contains([':', '*', '?', '"', '<', '>', '|', '{', '}', '@']);
    !has_forbidden && !is_reserved(name) && !name.ends_with([' ', '.'])
}
