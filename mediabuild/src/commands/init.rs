//! `mediabuild init`: a first `mediabuild.kdl` that passes `check` and teaches by its comments.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use mediabuild_schema::load_with;

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
    let text = text_for(folder);
    file.write_all(text.as_bytes()).map_err(|error| Failure::io("write", &path, &error))?;
    progress.result(&format!("wrote {}", path.display()));
    progress.line("next: fill it in, then `mediabuild check` and `mediabuild build`");
    Ok(())
}

/// The template with the folder's own name, or with `media` where that cannot name a project.
fn text_for(folder: &Path) -> String {
    let text = TEMPLATE.replace("PROJECT_NAME", &project_name(folder));
    let files = BTreeMap::from([(PROJECT_FILE.to_owned(), text.clone().into_bytes())]);
    match load_with(&files, folder).definitions {
        Some(_) => text,
        None => TEMPLATE.replace("PROJECT_NAME", "media"),
    }
}

/// The folder's own name, as far as it can stand in a KDL string.
fn project_name(folder: &Path) -> String {
    let folder = std::path::absolute(folder).unwrap_or_default();
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect()
}
