//! `mediabuild init`: a first `mediabuild.kdl` that passes `check` and teaches by its comments.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};

use crate::cli::Init;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::project::PROJECT_FILE;

const TEMPLATE: &str = include_str!("init.kdl");

/// Writes the template; an existing project is left alone.
pub(super) fn run(init: &Init, progress: &Progress) -> Result<(), Failure> {
    let folder = &init.folder;
    std::fs::create_dir_all(folder).map_err(|error| Failure::io("create", folder, &error))?;
    let path = folder.join(PROJECT_FILE);
    let file = OpenOptions::new().write(true).create_new(true).open(&path);
    let mut file = file.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Failure::usage(format!("`{}` exists already", path.display()))
            .help(format!("mediabuild check {}", folder.display())),
        _ => Failure::io("create", &path, &error),
    })?;
    let text = TEMPLATE.replace("PROJECT_NAME", &project_name(folder));
    file.write_all(text.as_bytes()).map_err(|error| Failure::io("write", &path, &error))?;
    progress.result(&format!("wrote {}", path.display()));
    progress.line("next: fill it in, then `mediabuild check` and `mediabuild build`");
    Ok(())
}

/// The folder's own name, as far as it can stand in a KDL string.
fn project_name(folder: &std::path::Path) -> String {
    let name = std::path::absolute(folder).ok();
    let name = name.as_deref().and_then(|folder| folder.file_name()).and_then(|name| name.to_str());
    let name: String = name
        .unwrap_or_default()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
        .collect();
    if name.is_empty() { "media".into() } else { name }
}
