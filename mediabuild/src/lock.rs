//! `mediabuild.lock`: what inputs are pinned to. The schema reads and writes the text; here it meets
//! the project's inputs, the disk and the store.
//!
//! Who consults what: `build` looks at the lock alone, and holds each input that has an entry
//! against it; which inputs *must* have one is asked of git by `lock` and `build --locked`.

pub(crate) mod drift;
mod pin;
pub(crate) mod required;
pub(crate) mod roots;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mediabuild_schema::text::Text;
use mediabuild_schema::{
    Diagnostic, LOCK_FILE, LockEntry, LockKind, LockLine, Span, Texts, parse_lock,
};
use mediabuild_store::Digest;

use crate::failure::Failure;

pub(crate) use pin::{Pin, bytes_of, entry_of};

/// A project's lock.
#[derive(Debug, Default)]
pub(crate) struct Lock {
    /// Where it is, or would be.
    path: PathBuf,
    text: Arc<str>,
    lines: Vec<LockLine>,
    by_name: BTreeMap<String, Vec<usize>>,
    /// `--locked`: what differs is a mistake of the project's, not of the build's.
    pub(crate) strict: bool,
}

/// What a lock says of an input.
pub(crate) enum Found<'a> {
    /// It is pinned as it is declared.
    Pinned(&'a LockLine),
    /// Entries of its name are there, none of them for what is declared.
    Other,
    Nothing,
}

impl Lock {
    /// The lock of the project in `folder`, an empty one if it has none. What is wrong with it is
    /// said in `diagnostics`, about one more text.
    pub(crate) fn load(
        folder: &Path,
        texts: &mut Texts,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Result<Lock, Failure> {
        let path = folder.join(LOCK_FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => Arc::<str>::from(text),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Lock { path, ..Lock::default() });
            }
            Err(error) => return Err(Failure::io("read", &path, &error)),
        };
        let name = LOCK_FILE.to_owned();
        let idx = texts.add(Text { name, path: path.clone(), text: Arc::clone(&text) });
        let lines = parse_lock(idx, &text, diagnostics).unwrap_or_default();
        Ok(Lock::new(path, text, lines))
    }

    /// A lock that nobody may be told about the mistakes of; `None` if it has some.
    pub(crate) fn read(path: &Path) -> Option<Lock> {
        let text: Arc<str> = std::fs::read_to_string(path).ok()?.into();
        let mut texts = Texts::default();
        let (name, path) = (LOCK_FILE.to_owned(), path.to_owned());
        let idx = texts.add(Text { name, path: path.clone(), text: Arc::clone(&text) });
        let lines = parse_lock(idx, &text, &mut Vec::new())?;
        Some(Lock::new(path, text, lines))
    }

    fn new(path: PathBuf, text: Arc<str>, lines: Vec<LockLine>) -> Lock {
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, line) in lines.iter().enumerate() {
            by_name.entry(line.entry.name.clone()).or_default().push(at);
        }
        Lock { path, text, lines, by_name, strict: false }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its text; empty if there is no file.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn lines(&self) -> &[LockLine] {
        &self.lines
    }

    fn named(&self, name: &str) -> impl Iterator<Item = &LockLine> {
        let found = self.by_name.get(name).map_or(&[][..], Vec::as_slice);
        found.iter().map(|at| &self.lines[*at])
    }

    /// What it says of the input `name` that is declared so.
    pub(crate) fn find(&self, name: &str, declaration: &str) -> Found<'_> {
        if !self.by_name.contains_key(name) {
            return Found::Nothing;
        }
        let declared = declared(declaration);
        let pinned = self.named(name).find(|line| line.entry.declared == declared);
        pinned.map_or(Found::Other, Found::Pinned)
    }

    /// What the input is pinned to. Its declaration is asked for only if there is an entry.
    pub(crate) fn pin(&self, name: &str, declaration: impl FnOnce() -> String) -> Option<Pin> {
        self.by_name.get(name)?;
        match self.find(name, &declaration()) {
            Found::Pinned(line) => Some(Pin {
                entry: line.entry.clone(),
                line: self.line_number(line.span),
                strict: self.strict,
            }),
            _ => None,
        }
    }

    /// What kind of thing an input of that name was, and its bytes: for inputs that are not here.
    pub(crate) fn shape(&self, name: &str) -> Option<(LockKind, u64)> {
        self.named(name).next().map(|line| (line.entry.kind, line.entry.size_bytes))
    }

    fn line_number(&self, span: Span) -> usize {
        let before = self.text.get(..span.offset_bytes).unwrap_or_default();
        before.matches('\n').count() + 1
    }
}

/// The digest of a declaration as entries have it. 64 bits tell a user's own edits apart; who could
/// forge one could write the entry as well.
pub(crate) fn declared(declaration: &str) -> String {
    let digest = Digest::derive("mediabuild 2026-11 declaration", declaration.as_bytes());
    digest.to_string()[..16].to_owned()
}

/// The digest of an entry.
pub(crate) fn digest_of(entry: &LockEntry) -> Digest {
    entry.digest.parse().expect("the schema lets only digests through")
}
