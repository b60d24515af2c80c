//! `mediabuild.kdl` and what it includes: bytes to texts and KDL nodes.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kdl::KdlDocument;

use crate::diagnostic::Diagnostic;
use crate::files::Files;
use crate::node::{Node, Value};
use crate::syntax;
use crate::text::{Span, Text, TextIdx, Texts};
use crate::value::glob::{literal_folder, matcher};
use crate::value::path;

/// The file that makes a folder a project.
pub const PROJECT_FILE: &str = "mediabuild.kdl";

/// All definition files, as far as they could be read.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) texts: Texts,
    pub(crate) documents: Vec<(TextIdx, KdlDocument)>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// A file is missing or does not parse, so not all definitions are known.
    pub(crate) incomplete: bool,
}

impl Read {
    /// The nodes of all files, in include order.
    pub(crate) fn nodes(&self) -> Vec<Node<'_>> {
        let files = self.documents.iter();
        files.flat_map(|(text, document)| nodes(*text, document)).collect()
    }
}

fn nodes(text: TextIdx, document: &KdlDocument) -> impl Iterator<Item = Node<'_>> {
    document.nodes().iter().map(move |node| Node::new(node, text))
}

/// Reads the project file and all it includes.
pub(crate) fn read_all(files: &dyn Files, folder: &Path) -> Read {
    let mut reader = Reader { files, folder, read: Read::default() };
    reader.file(PROJECT_FILE, None);
    let includes = reader.includes();
    for (path, span) in includes {
        reader.file(&path, Some(span));
    }
    reader.read
}

struct Reader<'a> {
    files: &'a dyn Files,
    folder: &'a Path,
    read: Read,
}

impl Reader<'_> {
    /// Reads one file, once; `included` is where it was asked for.
    fn file(&mut self, name: &str, included: Option<Span>) {
        if self.read.texts.iter().any(|text| text.name == name) {
            return;
        }
        match self.files.read(name) {
            Ok(bytes) => self.bytes(name, bytes),
            Err(error) => self.unreadable(name, included, &error),
        }
    }

    fn bytes(&mut self, name: &str, bytes: Vec<u8>) {
        let (text, wrong_at) = match String::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(error) => {
                let wrong_at = error.utf8_error().valid_up_to();
                (String::from_utf8_lossy(error.as_bytes()).into_owned(), Some(wrong_at))
            }
        };
        let idx = self.add(name, text.into());
        match wrong_at {
            Some(offset) => self.fail(not_utf8(idx, offset)),
            None => self.parse(idx),
        }
    }

    fn add(&mut self, name: &str, text: Arc<str>) -> TextIdx {
        let path: PathBuf = self.folder.join(name);
        self.read.texts.add(Text { name: name.to_string(), path, text })
    }

    fn parse(&mut self, idx: TextIdx) {
        let text = Arc::clone(&self.read.texts.get(idx).text);
        match syntax::parse(idx, &text, &mut self.read.diagnostics) {
            Some(document) => self.read.documents.push((idx, document)),
            None => self.read.incomplete = true,
        }
    }

    fn fail(&mut self, diagnostic: Diagnostic) {
        self.read.incomplete = true;
        self.read.diagnostics.push(diagnostic);
    }

    fn unreadable(&mut self, name: &str, included: Option<Span>, error: &std::io::Error) {
        let message = match error.kind() {
            ErrorKind::NotFound => format!("there is no file `{name}`"),
            _ => format!("`{name}` cannot be read: {error}"),
        };
        let span = match included {
            Some(span) => span,
            // The project file itself: an empty text stands for it, so that the diagnostic has a place.
            None => Span { text: self.add(name, "".into()), offset_bytes: 0, size_bytes: 0 },
        };
        let help = match included {
            Some(_) => format!("make `{name}` a readable file, or remove it here"),
            None => format!("write `project \"name\"` to a file `{name}` in the project's folder"),
        };
        self.fail(
            Diagnostic::error("unreadable-file", span, message).label("this file").help(help),
        );
    }

    /// The files that the project node includes, with the place that asked for each.
    fn includes(&mut self) -> Vec<(String, Span)> {
        let documents = std::mem::take(&mut self.read.documents);
        let mut found = Vec::new();
        for (text, document) in &documents {
            let projects = nodes(*text, document).filter(|node| node.name() == "project");
            for include in projects.flat_map(|project| project.children_named("include")) {
                include.arguments().for_each(|value| found.extend(self.include(value)));
            }
        }
        self.read.documents = documents;
        found
    }

    /// The files that one path or glob names. What is wrong with its form is said by validation.
    fn include(&mut self, value: Value<'_>) -> Vec<(String, Span)> {
        let file = &self.read.texts.get(value.text()).name;
        let pattern = value.string().and_then(|written| path::resolve(file, written).ok());
        let Some(pattern) = pattern else {
            self.read.incomplete = true;
            return Vec::new();
        };
        match self.matching(&pattern) {
            Ok(paths) if !paths.is_empty() => {
                paths.into_iter().map(|path| (path, value.span())).collect()
            }
            Ok(_) => {
                self.fail(matches_nothing(value, &pattern));
                Vec::new()
            }
            Err(diagnostic) => {
                let (code, message, help) = diagnostic;
                self.fail(
                    Diagnostic::error(code, value.span(), message).label("this one").help(help),
                );
                Vec::new()
            }
        }
    }

    fn matching(&self, pattern: &str) -> Result<Vec<String>, (&'static str, String, String)> {
        let matcher = matcher(pattern).map_err(|p| (p.code, p.message, p.help))?;
        let (folder, depth_max) = literal_folder(pattern);
        let listed = self.files.list(&folder, depth_max).map_err(|error| {
            let message = format!("`{folder}` cannot be listed: {error}");
            ("unreadable-file", message, format!("make `{folder}` a readable folder"))
        })?;
        Ok(listed.into_iter().filter(|path| matcher.is_match(path)).collect())
    }
}

fn not_utf8(idx: TextIdx, offset_bytes: usize) -> Diagnostic {
    let span = Span { text: idx, offset_bytes, size_bytes: 0 };
    Diagnostic::error("not-utf-8", span, format!("byte {offset_bytes} of this file is not UTF-8"))
        .label("this byte")
        .help("save the file as UTF-8")
}

fn matches_nothing(value: Value<'_>, pattern: &str) -> Diagnostic {
    Diagnostic::error(
        "include-matches-nothing",
        value.span(),
        format!("no file matches `{pattern}`"),
    )
    .label("matches nothing")
    .help("correct the path, or remove it; `**/*.kdl` matches in all folders")
}
