//! `load`: a project folder to [`Loaded`].

use std::path::Path;

use crate::def::Lowering;
use crate::definition::Definitions;
use crate::diagnostic::{Diagnostic, Severity};
use crate::files::{Files, FolderFiles};
use crate::lower::lower;
use crate::names::Names;
use crate::node::Node;
use crate::parse_cache::{NoParseCache, ParseCache};
use crate::read::{PROJECT_FILE, Read, read_all};
use crate::text::{Span, Texts};
use crate::validate::Validation;

/// What came of reading a project.
#[derive(Debug)]
pub struct Loaded {
    /// The definition files that were read, also when something is wrong.
    pub texts: Texts,
    /// Everything the project says; `None` as soon as one diagnostic is an error.
    pub definitions: Option<Definitions>,
    /// Where something is wrong, what could be understood all the same: enough to look at the
    /// inputs it names, so that all errors come at once. Never to be built.
    pub partial: Option<Definitions>,
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
    load_cached(files, project_folder, &NoParseCache)
}

/// Like [`load_with`], asking `cache` before the parser.
pub fn load_cached(files: &dyn Files, project_folder: &Path, cache: &dyn ParseCache) -> Loaded {
    let read = read_all(files, project_folder, cache);
    let mut diagnostics = read.diagnostics.clone();
    let nodes = read.nodes();
    diagnostics.extend(misplaced_projects(&read, &nodes));
    diagnostics.extend(validate(&read, &nodes));
    let definitions = lower(Lowering { folder: project_folder, texts: &read.texts }, &nodes);
    diagnostics.extend(definitions.check());
    // Stable, so what is said first of one place stays first.
    diagnostics.sort_by_key(|diagnostic| diagnostic.labels.first().map(|label| label.span));
    let is_wrong = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    let understood = definitions.finish(read.texts.clone(), project_folder);
    let (definitions, partial) =
        if is_wrong { (None, Some(understood)) } else { (Some(understood), None) };
    Loaded { texts: read.texts, definitions, partial, diagnostics }
}

fn validate(read: &Read, nodes: &[Node<'_>]) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let mut names = Names::collect(nodes, &mut diagnostics);
    names.incomplete = read.incomplete;
    let mut validation = Validation { texts: &read.texts, names: &names, diagnostics };
    for node in nodes {
        validation.definition(*node);
    }
    validation.diagnostics
}

/// There is one project node, and it stands in the project file.
fn misplaced_projects(read: &Read, nodes: &[Node<'_>]) -> Vec<Diagnostic> {
    let projects = nodes.iter().copied().filter(|node| node.name() == "project");
    let is_own = |node: &Node<'_>| read.texts.get(node.text()).name == PROJECT_FILE;
    let (own, foreign): (Vec<Node<'_>>, Vec<Node<'_>>) = projects.partition(is_own);
    let mut diagnostics: Vec<_> = foreign.into_iter().map(foreign_project).collect();
    match own.as_slice() {
        [first, rest @ ..] => diagnostics.extend(rest.iter().map(|n| second_project(*first, *n))),
        [] => diagnostics.extend(missing_project(read)),
    }
    diagnostics
}

fn foreign_project(node: Node<'_>) -> Diagnostic {
    let message = format!("the project is named in `{PROJECT_FILE}` only");
    Diagnostic::error("misplaced-project", node.span(), message)
        .label("in an included file")
        .help("remove this node; a file needs none to be included")
}

fn second_project(first: Node<'_>, second: Node<'_>) -> Diagnostic {
    Diagnostic::error("repeated-project", second.span(), "there is one `project` only")
        .label("second")
        .also(first.span(), "first")
        .help("keep one of them")
}

/// Only said of a project file that parsed.
fn missing_project(read: &Read) -> Option<Diagnostic> {
    let (text, _) = read.documents.first()?;
    if read.texts.get(*text).name != PROJECT_FILE {
        return None;
    }
    let span = Span { text: *text, offset_bytes: 0, size_bytes: 0 };
    let diagnostic = Diagnostic::error("missing-project", span, "the project has no name");
    Some(
        diagnostic
            .label("no `project` in this file")
            .help("begin the file with `project \"name\"`"),
    )
}
