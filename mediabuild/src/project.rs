//! Projects: finding the folder with `mediabuild.kdl`, loading it, printing what is wrong.

use std::io::IsTerminal;
use std::path::{Component, Path, PathBuf};

use mediabuild_schema::diagnostic::Severity;
use mediabuild_schema::{
    Definitions, Diagnostic, FolderFiles, Texts, load_cached, position, render,
};
use serde_json::json;

use crate::cli::Format;
use crate::failure::Failure;
use crate::lock::required::Required;
use crate::lock::{Lock, drift};
use crate::parse_cache::ParsedFiles;
use crate::probe;
use crate::progress::{Progress, print_line};
use crate::size::counted;

/// The file that makes a folder a project.
pub(crate) const PROJECT_FILE: &str = "mediabuild.kdl";

/// A project without mistakes.
pub(crate) struct Project {
    pub(crate) folder: PathBuf,
    pub(crate) definitions: Definitions,
    /// How many bytes each input has, as far as a look at the disk tells.
    pub(crate) inputs: probe::Inputs,
    /// What inputs are pinned to.
    pub(crate) lock: Lock,
    /// The files that diagnostics point to.
    pub(crate) texts: Texts,
    /// Nothing may be fetched.
    pub(crate) offline: bool,
}

/// Whether the lock is held against the definitions. The one command that writes locks only reads
/// what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LockUse {
    Obeyed,
    Renewed,
}

/// Loads the project in `folder`, looks at its inputs, and prints every mistake at once.
pub(crate) fn open(
    folder: &Path,
    lock_use: LockUse,
    format: Format,
    parsed: &ParsedFiles<'_>,
    progress: &Progress,
) -> Result<Project, Failure> {
    let mut loaded = load_cached(&FolderFiles::new(folder), folder, parsed);
    parsed.keep();
    let mut diagnostics = loaded.diagnostics;
    let lock = Lock::load(folder, &mut loaded.texts, &mut diagnostics)?;
    let mut inputs = probe::Inputs::default();
    if let Some(definitions) = loaded.definitions.as_ref().or(loaded.partial.as_ref()) {
        inputs = probe::probe(definitions, &lock, &mut diagnostics);
        if lock_use == LockUse::Obeyed {
            diagnostics.extend(drift::stale(definitions, &lock));
        }
    }
    diagnostics.sort_by_key(|diagnostic| diagnostic.labels.first().map(|label| label.span));
    print(&loaded.texts, &diagnostics, format, progress);
    let errors = diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
    match loaded.definitions {
        Some(definitions) if errors == 0 => {
            let texts = loaded.texts;
            Ok(Project {
                folder: folder.to_owned(),
                definitions,
                inputs,
                lock,
                texts,
                offline: false,
            })
        }
        _ => Err(wrong(errors, progress)),
    }
}

/// The last line below printed diagnostics.
fn wrong(errors: usize, progress: &Progress) -> Failure {
    progress.line(&format!("\n{} in the definitions", counted(errors, "error")));
    Failure::usage(counted(errors, "error")).already_printed()
}

impl Project {
    /// For `--locked`: fails if the lock does not pin all that must be pinned, and nothing else.
    pub(crate) fn refuse_drift(
        &mut self,
        format: Format,
        progress: &Progress,
    ) -> Result<(), Failure> {
        self.lock.strict = true;
        let required = Required::of(&self.folder)?;
        let found = drift::loose(&self.definitions, &self.lock, &required)?;
        if found.is_empty() {
            return Ok(());
        }
        self.refuse(&found, format, progress)
    }

    /// Prints what was found after all, and fails if one of it is an error.
    pub(crate) fn refuse(
        &self,
        diagnostics: &[Diagnostic],
        format: Format,
        progress: &Progress,
    ) -> Result<(), Failure> {
        print(&self.texts, diagnostics, format, progress);
        match diagnostics.iter().filter(|it| it.severity == Severity::Error).count() {
            0 => Ok(()),
            errors => Err(wrong(errors, progress)),
        }
    }
}

/// Prints diagnostics: pictures of the user's own lines, or JSON lines.
pub(crate) fn print(
    texts: &Texts,
    diagnostics: &[Diagnostic],
    format: Format,
    progress: &Progress,
) {
    match format {
        Format::Json => {
            for diagnostic in diagnostics {
                print_line(&json_line(texts, diagnostic));
            }
        }
        Format::Text if !diagnostics.is_empty() => {
            let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            progress.line(render(texts, diagnostics, colour, 100).trim_end());
        }
        Format::Text => {}
    }
}

fn json_line(texts: &Texts, diagnostic: &Diagnostic) -> String {
    let places: Vec<_> = diagnostic
        .labels
        .iter()
        .map(|label| {
            let (line, column) = position(texts, label.span);
            json!({
                "file": texts.get(label.span.text).name,
                "line": line,
                "column": column,
                "offset": label.span.offset_bytes,
                "size": label.span.size_bytes,
                "text": label.text,
            })
        })
        .collect();
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    json!({
        "event": "diagnostic",
        "severity": severity,
        "code": diagnostic.code,
        "message": diagnostic.message,
        "places": places,
        "help": diagnostic.help,
    })
    .to_string()
}

/// The project's folder: the one named, or the nearest one upwards from the working folder.
pub(crate) fn find(named: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(folder) = named {
        return named_project(folder);
    }
    let here =
        std::env::current_dir().map_err(|error| Failure::io("find", Path::new("."), &error))?;
    let found = here.ancestors().find(|folder| folder.join(PROJECT_FILE).is_file());
    found.map(Path::to_owned).ok_or_else(|| {
        Failure::usage(format!("no `{PROJECT_FILE}` in `{}` or above it", here.display()))
            .help("mediabuild init, or name a project's folder: mediabuild build FOLDER")
    })
}

fn named_project(folder: &Path) -> Result<PathBuf, Failure> {
    if is_project(folder) {
        return straight(folder);
    }
    if folder.file_name().is_some_and(|name| name == PROJECT_FILE) && folder.is_file() {
        let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
        return straight(parent.unwrap_or(Path::new(".")));
    }
    Err(Failure::usage(format!(
        "`{}` is not a project: it holds no `{PROJECT_FILE}`",
        folder.display()
    ))
    .help(format!("mediabuild init {}", folder.display())))
}

/// The same folder without `..`. What is remembered of a project and its inputs is kept by their
/// paths, and `build ..` is to find what `build` has left.
fn straight(folder: &Path) -> Result<PathBuf, Failure> {
    if cfg!(windows) || !folder.components().any(|part| part == Component::ParentDir) {
        return Ok(folder.to_owned());
    }
    folder.canonicalize().map_err(|error| Failure::io("resolve", folder, &error))
}

/// Whether a path is a project.
pub(crate) fn is_project(path: &Path) -> bool {
    path.join(PROJECT_FILE).is_file()
}
