//! `Pin`: one input held against its entry; what differs, and the line to change.

use mediabuild_schema::{LOCK_FILE, LockEntry, LockKind};
use mediabuild_store::{Content, Output, Store, walk};

use super::digest_of;
use crate::failure::{Failure, FailureKind};

/// What an input is pinned to, and by which line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pin {
    pub(super) entry: LockEntry,
    /// The entry's line in the lock, from 1.
    pub(super) line: usize,
    pub(super) strict: bool,
}

impl Pin {
    /// What the input must be.
    pub(crate) fn output(&self) -> Output {
        let digest = digest_of(&self.entry);
        match self.entry.kind {
            LockKind::Folder => Output::Directory(digest),
            _ => Output::Content(Content { digest, size_bytes: self.entry.size_bytes }),
        }
    }

    /// Whether `output` is what is pinned.
    pub(crate) fn fits(&self, output: &Output) -> bool {
        self.output() == *output
    }

    /// The entry's digest as `store add --expect` takes it.
    pub(crate) fn expectation(&self) -> String {
        format!("blake3:{}", self.entry.digest)
    }

    /// How many bytes it must have.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.entry.size_bytes
    }

    /// The server says, or sent, another number of bytes.
    pub(crate) fn wrong_size(&self, found_bytes: u64) -> Failure {
        let name = &self.entry.name;
        let message = format!(
            "`{name}` is not what {} pins, so it was not stored\n  pinned: {}, {} bytes\n  found:  \
             {found_bytes} bytes or more",
            self.place(),
            written(&self.entry),
            self.entry.size_bytes,
        );
        Failure::new(self.kind(), message).help(format!(
            "if the new one is right: mediabuild lock --update '{name}'\n  which changes line {}\n    \
             {}",
            self.line, self.entry
        ))
    }

    /// With `--locked` what differs is a mistake of the project's.
    fn kind(&self) -> FailureKind {
        if self.strict { FailureKind::Usage } else { FailureKind::Build }
    }

    /// The input as the lock calls it.
    pub(crate) fn name(&self) -> &str {
        &self.entry.name
    }

    /// `mediabuild.lock:4`
    pub(crate) fn place(&self) -> String {
        format!("{LOCK_FILE}:{}", self.line)
    }

    /// Fails unless `output` is what is pinned. Its size is asked for only if it is not.
    pub(crate) fn check(
        &self,
        output: &Output,
        size_bytes: impl FnOnce() -> Result<u64, Failure>,
    ) -> Result<(), Failure> {
        if self.fits(output) { Ok(()) } else { Err(self.mismatch(output, size_bytes()?)) }
    }

    /// Both digests and sizes, and the line as it would be.
    fn mismatch(&self, found: &Output, size_bytes: u64) -> Failure {
        let LockEntry { name, declared, .. } = &self.entry;
        let now = entry_of(name, declared.clone(), self.entry.kind, found, size_bytes);
        let message = format!(
            "`{name}` is not what {} pins\n  pinned: {}, {} bytes\n  found:  {}, {} bytes",
            self.place(),
            written(&self.entry),
            self.entry.size_bytes,
            written(&now),
            now.size_bytes,
        );
        Failure::new(self.kind(), message).help(format!(
            "if this is the right one: mediabuild lock --update '{name}'\n  which changes line {} \
             to\n    {now}",
            self.line
        ))
    }

    /// The pinned content, if the store has all of it.
    pub(crate) fn in_store(&self, store: &dyn Store) -> Result<Option<Output>, Failure> {
        let output = self.output();
        let is_here = match &output {
            Output::Content(content) => store.find(&content.digest)? == Some(*content),
            Output::Directory(digest) => match walk(store, digest) {
                Ok(files) => {
                    let digests: Vec<_> = files.iter().map(|(_, content)| content.digest).collect();
                    store.find_many(&digests)?.iter().all(Option::is_some)
                }
                Err(mediabuild_store::Error::Missing(_)) => false,
                Err(error) => return Err(error.into()),
            },
        };
        Ok(is_here.then_some(output))
    }
}

/// How many bytes the file, or all files of the folder, have.
pub(crate) fn bytes_of(output: &Output, store: &dyn Store) -> Result<u64, Failure> {
    Ok(match output {
        Output::Content(content) => content.size_bytes,
        Output::Directory(digest) => {
            walk(store, digest)?.iter().map(|(_, content)| content.size_bytes).sum()
        }
    })
}

/// `blake3:…` or `directory:…`, as the line has it.
fn written(entry: &LockEntry) -> String {
    let line = entry.to_string();
    let digest = line.split("digest=\"").nth(1).and_then(|rest| rest.split('"').next());
    digest.unwrap_or_default().to_owned()
}

/// The entry of an input that gave `output`.
pub(crate) fn entry_of(
    name: &str,
    declared: String,
    kind: LockKind,
    output: &Output,
    size_bytes: u64,
) -> LockEntry {
    let kind = match output {
        Output::Directory(_) => LockKind::Folder,
        Output::Content(_) if kind == LockKind::Folder => LockKind::File,
        Output::Content(_) => kind,
    };
    let digest = output.digest().to_string();
    LockEntry { name: name.to_owned(), kind, declared, digest, size_bytes }
}
