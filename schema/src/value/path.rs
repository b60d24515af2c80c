//! Paths: relative to the file that says them, with `/`, inside the project.

use crate::problem::Problem;

/// `written` in the definition file called `file`, as a path relative to the project folder.
pub(crate) fn resolve(file: &str, written: &str) -> Result<String, Problem> {
    check_form(written)?;
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let path = join(folder, written).ok_or_else(|| {
        Problem::new(
            "path-outside",
            "outside the project",
            format!("`{written}` leaves the project folder"),
            "copy the file into the project and name it there",
        )
    })?;
    if path.is_empty() {
        let help = "name a file or folder in the project";
        return Err(Problem::new("path-outside", "all", "this is the whole project folder", help));
    }
    Ok(path)
}

/// A path inside an image or a medium, normalised.
pub(crate) fn inside(written: &str) -> Result<String, Problem> {
    check_form(written)?;
    let path = join("", written).filter(|path| !path.is_empty());
    path.ok_or_else(|| {
        Problem::new(
            "path-outside",
            "outside the image",
            format!("`{written}` does not name a place in the image"),
            "write a path from the root of the image, such as `\"Windows/INF\"`",
        )
    })
}

/// Refuses what is not a relative path with `/`.
pub(crate) fn check_form(written: &str) -> Result<(), Problem> {
    let wrong = if written.is_empty() {
        Some(("invalid-path", "empty", "a path must not be empty"))
    } else if written.chars().any(char::is_control) {
        Some(("invalid-path", "control character", "a path must not contain control characters"))
    } else if has_drive(written) || written.starts_with(['/', '\\']) {
        Some(("absolute-path", "absolute", "a path must be relative to the file that says it"))
    } else if written.contains('\\') {
        Some(("backslash", "has `\\`", "a path is written with `/`"))
    } else {
        None
    };
    wrong.map_or(Ok(()), |(code, label, message)| {
        Err(Problem::new(code, label, message, format!("write `\"{}\"`", repaired(written))))
    })
}

fn has_drive(written: &str) -> bool {
    let mut chars = written.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic()) && chars.next() == Some(':')
}

/// A path near `written` that has the right form.
pub(crate) fn repaired(written: &str) -> String {
    let printable: String = written.chars().filter(|c| !c.is_control()).collect();
    let slashes = printable.replace('\\', "/");
    let relative = if has_drive(&slashes) { &slashes[2..] } else { &slashes };
    match relative.trim_start_matches('/') {
        "" => "inputs/install.wim".into(),
        relative => relative.into(),
    }
}

/// `written` below `folder` without `.` and `..`; `None` if it climbs above the root.
fn join(folder: &str, written: &str) -> Option<String> {
    let mut names: Vec<&str> = folder.split('/').filter(|name| !name.is_empty()).collect();
    for name in written.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()?),
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}
