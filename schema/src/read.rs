//! `mediabuild.kdl` and what it includes: bytes to texts and KDL nodes.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::string::FromUtf8Error;
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::files::Files;
use crate::node::{Node, Value};
use crate::parse_cache::ParseCache;
use crate::syntax;
use crate::text::{Span, Text, TextIdx, Texts};
use crate::tree::Tree;
use crate::value::glob::{literal_folder, matcher};
use crate::value::path;

/// The file that makes a folder a project.
pub const PROJECT_FILE: &str = "mediabuild.kdl";

/// All definition files, as far as they could be read.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) texts: Texts,
    pub(crate) documents: Vec<(TextIdx, Tree)>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// A file is missing or does not parse, so not all definitions are known.
    pub(crate) incomplete: bool,
}

impl Read {
    /// The nodes of all files, in include order.
    pub(crate) fn nodes(&self) -> Vec<Node<'_>> {
        let files = self.documents.iter();
        files.flat_map(|(text, tree)| Node::all(tree, *text)).collect()
    }
}

/// Reads the project file and all it includes.
pub(crate) fn read_all(files: &dyn Files, folder: &Path, cache: &dyn ParseCache) -> Read {
    let mut reader = Reader { files, folder, cache, seen: BTreeSet::new(), read: Read::default() };
    reader.all(vec![(PROJECT_FILE.to_owned(), None)]);
    let includes = reader.includes();
    reader.all(includes.into_iter().map(|(path, span)| (path, Some(span))).collect());
    reader.read
}

struct Reader<'a> {
    files: &'a dyn Files,
    folder: &'a Path,
    cache: &'a dyn ParseCache,
    /// The names of the files that could be read.
    seen: BTreeSet<String>,
    read: Read,
}

/// A file's bytes, and where it was asked for.
struct Bytes {
    name: String,
    included: Option<Span>,
    bytes: io::Result<Result<String, FromUtf8Error>>,
}

impl Bytes {
    fn text(&self) -> Option<&str> {
        Some(self.bytes.as_ref().ok()?.as_ref().ok()?.as_str())
    }
}

impl Reader<'_> {
    /// Reads files, each once, and asks the cache for all of them at once.
    fn all(&mut self, names: Vec<(String, Option<Span>)>) {
        let mut files = Vec::with_capacity(names.len());
        for (name, included) in names {
            if !self.seen.contains(&name) {
                let bytes = self.files.read(&name).map(String::from_utf8);
                if bytes.is_ok() {
                    self.seen.insert(name.clone());
                }
                files.push(Bytes { name, included, bytes });
            }
        }
        let texts: Vec<&str> = files.iter().map(|file| file.text().unwrap_or_default()).collect();
        let known = self.cache.get(&texts);
        let known = known.into_iter().chain(std::iter::repeat(None));
        for (file, known) in files.into_iter().zip(known) {
            match file.bytes {
                Ok(Ok(text)) => self.text(&file.name, text.into(), known.as_deref()),
                Ok(Err(error)) => self.not_text(&file.name, &error),
                Err(error) => self.unreadable(&file.name, file.included, &error),
            }
        }
    }

    fn text(&mut self, name: &str, text: Arc<str>, known: Option<&[u8]>) {
        let idx = self.add(name, Arc::clone(&text));
        let tree = known.and_then(|known| Tree::decode(known, text.len()));
        match tree.or_else(|| self.parse(idx, &text)) {
            Some(tree) => self.read.documents.push((idx, tree)),
            None => self.read.incomplete = true,
        }
    }

    /// Parses a text, and has it remembered if there is nothing to say of it.
    fn parse(&mut self, idx: TextIdx, text: &str) -> Option<Tree> {
        let said = self.read.diagnostics.len();
        let tree = syntax::parse(idx, text, &mut self.read.diagnostics)?;
        if self.read.diagnostics.len() == said
            && let Some(encoded) = tree.encode()
        {
            self.cache.put(text, encoded);
        }
        Some(tree)
    }

    fn not_text(&mut self, name: &str, error: &FromUtf8Error) {
        let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
        let idx = self.add(name, text.into());
        self.fail(not_utf8(idx, error.utf8_error().valid_up_to()));
    }

    fn add(&mut self, name: &str, text: Arc<str>) -> TextIdx {
        let path: PathBuf = self.folder.join(name);
        self.read.texts.add(Text { name: name.to_string(), path, text })
    }

    fn fail(&mut self, diagnostic: Diagnostic) {
        self.read.incomplete = true;
        self.read.diagnostics.push(diagnostic);
    }

    fn unreadable(&mut self, name: &str, included: Option<Span>, error: &io::Error) {
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
        for (text, tree) in &documents {
            let projects = Node::all(tree, *text).filter(|node| node.name() == "project");
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
