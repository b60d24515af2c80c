//! The stat cache of imports: for each imported path, what each file's stat was and which content
//! it had. It saves reading; it never decides an output: a file whose stat differs, or whose time
//! is not older than the moment the cache was written (git's "racy" entries), is read.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mediabuild_store::{Batch, Content, Digest, Store};

use crate::failure::Failure;
use crate::os::{STAT_KEY_BYTES, StatKey};

/// The memo table of stat caches, by path.
const STAT_MEMO: &str = "stat";

/// A time stamp within this of the moment the cache was asked may hide a later change of the same stamp
/// (file systems with coarse clocks tick every 10 ms to 2 s).
const RACY: Duration = Duration::from_secs(2);

/// What is remembered of one imported path.
pub(crate) struct StatCache {
    /// When the cache was asked, before any file was looked at.
    started_ns: i128,
    key: Digest,
    old: BTreeMap<String, ([u8; STAT_KEY_BYTES], Content)>,
    new: BTreeMap<String, ([u8; STAT_KEY_BYTES], Content)>,
    changed: bool,
}

impl StatCache {
    /// What the store remembers of `path` looked at in this way (`kind` tells filters apart), with
    /// contents that it still has. To be asked before the first file is looked at.
    pub(crate) fn load(store: &dyn Store, path: &Path, kind: &str) -> Result<Self, Failure> {
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let path =
            std::path::absolute(path).map_err(|error| Failure::io("resolve", path, &error))?;
        let key = format!("{kind}\0{}", path.display());
        let key = Digest::derive("mediabuild 2026-11 stat cache", key.as_bytes());
        let old = store.memo(STAT_MEMO, &key)?.and_then(|memo| decode(&memo)).unwrap_or_default();
        let digests: Vec<Digest> = old.values().map(|(_, content)| content.digest).collect();
        let found = store.find_many(&digests)?;
        let held = old.into_iter().zip(found).filter(|((_, (_, content)), f)| *f == Some(*content));
        let held = held.map(|(entry, _)| entry).collect();
        let started_ns = started.as_nanos() as i128;
        Ok(StatCache { started_ns, key, old: held, new: BTreeMap::new(), changed: false })
    }

    /// The content of file `name`, if its stat is as remembered.
    pub(crate) fn lookup(&self, name: &str, metadata: &Metadata) -> Option<Content> {
        let (stat, content) = self.old.get(name)?;
        (*stat == StatKey::of(metadata).encode()).then_some(*content)
    }

    /// Remembers a file, unless its time is too young to tell a later change by: a change while it
    /// was read, however long that took, may carry the same stamp.
    pub(crate) fn note(&mut self, name: &str, metadata: &Metadata, content: Content) {
        let stat = StatKey::of(metadata);
        if stat.latest_ns() < self.started_ns - RACY.as_nanos() as i128 {
            let entry = (stat.encode(), content);
            self.changed |= self.old.get(name) != Some(&entry);
            self.new.insert(name.to_owned(), entry);
        }
    }

    /// Writes it back, if it changed.
    pub(crate) fn put(self, batch: &mut dyn Batch) -> Result<(), Failure> {
        if self.changed || self.new.len() != self.old.len() {
            batch.put_memo(STAT_MEMO, &self.key, &encode(&self.new))?;
        }
        Ok(())
    }
}

fn encode(entries: &BTreeMap<String, ([u8; STAT_KEY_BYTES], Content)>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, (stat, content)) in entries {
        bytes.extend_from_slice(&(name.len() as u32).to_le_bytes());
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(stat);
        bytes.extend_from_slice(content.digest.as_bytes());
        bytes.extend_from_slice(&content.size_bytes.to_le_bytes());
    }
    bytes
}

/// `None` for anything malformed: a cache that cannot be read is a cache that is empty.
fn decode(mut bytes: &[u8]) -> Option<BTreeMap<String, ([u8; STAT_KEY_BYTES], Content)>> {
    let mut entries = BTreeMap::new();
    while !bytes.is_empty() {
        let (size, rest) = bytes.split_first_chunk::<4>()?;
        let (name, rest) = rest.split_at_checked(u32::from_le_bytes(*size) as usize)?;
        let (stat, rest) = rest.split_first_chunk::<STAT_KEY_BYTES>()?;
        let (digest, rest) = rest.split_first_chunk::<32>()?;
        let (size, rest) = rest.split_first_chunk::<8>()?;
        let content =
            Content { digest: Digest::from_bytes(*digest), size_bytes: u64::from_le_bytes(*size) };
        entries.insert(String::from_utf8(name.to_vec()).ok()?, (*stat, content));
        bytes = rest;
    }
    Some(entries)
}
