//! The stat cache of one import: what each file's stat was and which content it had, and which
//! output they made together. It saves reading; it never decides an output: a file whose stat
//! differs, or whose time is not older than the moment the cache was asked (git's "racy" entries),
//! is read.
//!
//! Two memos an import, both sealed with a digest, so that a damaged one is an absent one:
//! [`FILES`] has an entry for each file and is looked at when one of them changed; [`OUTPUT`] is
//! small, has a digest of all names and stats, and answers for all files at once
//! ([`recall`](super::import_recall)).

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mediabuild_store::{Batch, Content, Digest, Output, Store};

use super::BuildContext;
use crate::failure::Failure;
use crate::os::{STAT_KEY_BYTES, StatKey};
use crate::sealed::{seal, unseal};

/// The memo table of single files' stats, by import.
pub(super) const FILES: &str = "stat files 1";

/// The memo table of imports' outputs, by import.
pub(super) const OUTPUT: &str = "stat output 1";

/// A time stamp within this of the moment the cache was asked may hide a later change of the same stamp
/// (file systems with coarse clocks tick every 10 ms to 2 s).
const RACY: Duration = Duration::from_secs(2);

/// What two imports have in common if they give the same: where they look, and how.
pub(super) struct ImportKey<'a> {
    /// What the path is taken for, such as `folder`.
    pub(super) kind: &'a str,
    pub(super) path: &'a Path,
    /// Every option that chooses among what lies there.
    pub(super) options: &'a [&'a [String]],
    pub(super) follow_symlinks: bool,
}

impl ImportKey<'_> {
    /// The key of both memos; `None` where the working folder is gone.
    pub(super) fn digest(&self) -> Option<Digest> {
        let mut bytes = Vec::with_capacity(256);
        text(&mut bytes, self.kind.as_bytes());
        text(&mut bytes, std::path::absolute(self.path).ok()?.as_os_str().as_encoded_bytes());
        bytes.push(self.follow_symlinks.into());
        for words in self.options {
            bytes.extend_from_slice(&(words.len() as u32).to_le_bytes());
            words.iter().for_each(|word| text(&mut bytes, word.as_bytes()));
        }
        Some(Digest::derive("mediabuild 2026-11 stat cache of imports", &bytes))
    }
}

/// A digest of names and stats: equal only if each file is as it was, and none came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint(Digest);

impl Fingerprint {
    /// Of files in order of their names.
    pub(super) fn of<'a>(files: impl Iterator<Item = (&'a str, StatKey)>) -> Self {
        let mut bytes = Vec::with_capacity(1024);
        for (name, stat) in files {
            text(&mut bytes, name.as_bytes());
            bytes.extend_from_slice(&stat.encode());
        }
        Fingerprint(Digest::derive("mediabuild 2026-11 stats of an import", &bytes))
    }
}

/// What is remembered of one import, and what is to be remembered.
pub(super) struct StatCache {
    /// When the cache was asked, before any file was looked at.
    started_ns: i128,
    key: Option<Digest>,
    old: BTreeMap<String, Entry>,
    old_output: Option<(Fingerprint, Output)>,
    new: BTreeMap<String, Entry>,
    files_changed: bool,
    /// A file is too young to be remembered, and so is the whole.
    is_racy: bool,
}

type Entry = ([u8; STAT_KEY_BYTES], Content);

impl StatCache {
    /// What the store remembers of an import, with contents that it still has. To be asked before
    /// the first file is looked at.
    pub(super) fn load(key: &ImportKey<'_>, context: &BuildContext<'_>) -> Result<Self, Failure> {
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut cache = StatCache {
            started_ns: started.as_nanos() as i128,
            key: key.digest(),
            old: BTreeMap::new(),
            old_output: None,
            new: BTreeMap::new(),
            files_changed: false,
            is_racy: false,
        };
        if let Some(key) = cache.key.filter(|_| !context.paranoid) {
            let files = context.store.memo(FILES, &key)?;
            let files = files.and_then(|memo| decode_files(unseal(&key, &memo)?));
            cache.old = held(files.unwrap_or_default(), context.store)?;
            let output = context.store.memo(OUTPUT, &key)?;
            cache.old_output = output.and_then(|memo| decode_output(&key, &memo));
        }
        Ok(cache)
    }

    /// The content of file `name`, if its stat is as remembered.
    pub(super) fn lookup(&self, name: &str, stat: StatKey) -> Option<Content> {
        let (known, content) = self.old.get(name)?;
        (*known == stat.encode()).then_some(*content)
    }

    /// Remembers a file, unless its time is too young to tell a later change by: a change while it
    /// was read, however long that took, may carry the same stamp.
    pub(super) fn note(&mut self, name: &str, stat: StatKey, content: Content) {
        if stat.latest_ns() >= self.started_ns - RACY.as_nanos() as i128 {
            self.is_racy = true;
            return;
        }
        let entry = (stat.encode(), content);
        self.files_changed |= self.old.get(name) != Some(&entry);
        self.new.insert(name.to_owned(), entry);
    }

    /// Writes back what changed: the files, and what they give, if all of them are noted.
    pub(super) fn put(
        self,
        fingerprint: Fingerprint,
        output: &Output,
        batch: &mut dyn Batch,
    ) -> Result<(), Failure> {
        let Some(key) = self.key else { return Ok(()) };
        if self.files_changed || self.new.len() != self.old.len() {
            let files = seal(&key, encode_files(&self.new));
            batch.put_memo_about(FILES, &key, &output.digest(), &files)?;
        }
        if !self.is_racy && self.old_output != Some((fingerprint, *output)) {
            let memo = seal(&key, encode_output(fingerprint, output));
            batch.put_memo_about(OUTPUT, &key, &output.digest(), &memo)?;
        }
        Ok(())
    }
}

/// Those of `files` whose content the store has.
fn held(
    files: BTreeMap<String, Entry>,
    store: &dyn Store,
) -> Result<BTreeMap<String, Entry>, Failure> {
    let digests: Vec<Digest> = files.values().map(|(_, content)| content.digest).collect();
    let found = store.find_many(&digests)?;
    let held = files.into_iter().zip(found).filter(|((_, (_, content)), f)| *f == Some(*content));
    Ok(held.map(|(file, _)| file).collect())
}

/// A length and as many bytes.
fn text(bytes: &mut Vec<u8>, text: &[u8]) {
    bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
    bytes.extend_from_slice(text);
}

fn encode_files(entries: &BTreeMap<String, Entry>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, (stat, content)) in entries {
        text(&mut bytes, name.as_bytes());
        bytes.extend_from_slice(stat);
        bytes.extend_from_slice(content.digest.as_bytes());
        bytes.extend_from_slice(&content.size_bytes.to_le_bytes());
    }
    bytes
}

/// `None` for anything malformed: a cache that cannot be read is a cache that is empty.
fn decode_files(mut bytes: &[u8]) -> Option<BTreeMap<String, Entry>> {
    let mut entries = BTreeMap::new();
    while !bytes.is_empty() {
        let (size, rest) = bytes.split_first_chunk::<4>()?;
        let (name, rest) = rest.split_at_checked(u32::from_le_bytes(*size) as usize)?;
        let (stat, rest) = rest.split_first_chunk::<STAT_KEY_BYTES>()?;
        let (content, rest) = decode_content(rest)?;
        entries.insert(String::from_utf8(name.to_vec()).ok()?, (*stat, content));
        bytes = rest;
    }
    Some(entries)
}

fn encode_output(fingerprint: Fingerprint, output: &Output) -> Vec<u8> {
    let (kind, size_bytes) = match output {
        Output::Content(content) => (0, content.size_bytes),
        Output::Directory(_) => (1, 0),
    };
    let mut bytes = fingerprint.0.as_bytes().to_vec();
    bytes.extend_from_slice(output.digest().as_bytes());
    bytes.extend_from_slice(&u64::to_le_bytes(size_bytes));
    bytes.push(kind);
    bytes
}

/// What the memo of an import's output says.
pub(super) fn decode_output(key: &Digest, sealed: &[u8]) -> Option<(Fingerprint, Output)> {
    let (fingerprint, rest) = unseal(key, sealed)?.split_first_chunk::<32>()?;
    let fingerprint = Fingerprint(Digest::from_bytes(*fingerprint));
    match decode_content(rest)? {
        (content, [0]) => Some((fingerprint, Output::Content(content))),
        (Content { digest, size_bytes: 0 }, [1]) => Some((fingerprint, Output::Directory(digest))),
        _ => None,
    }
}

fn decode_content(bytes: &[u8]) -> Option<(Content, &[u8])> {
    let (digest, rest) = bytes.split_first_chunk::<32>()?;
    let (size, rest) = rest.split_first_chunk::<8>()?;
    let digest = Digest::from_bytes(*digest);
    Some((Content { digest, size_bytes: u64::from_le_bytes(*size) }, rest))
}
