//! What was built last: per project which identity each step had, and per identity what it was made
//! of and how its making went. For `why`, `log` and estimates; nothing here decides an output.

use std::collections::BTreeMap;
use std::path::Path;

use mediabuild_store::{Batch, DerivationId, Digest, Output, Store};
use serde::{Deserialize, Serialize};

use crate::derivation::Fields;
use crate::failure::Failure;
use crate::reason::RebuildReason;

/// The memo table of last builds, by project.
const LAST_BUILD: &str = "last-build";

/// The memo table of [`Fields`], by identity.
const FIELDS: &str = "step-fields";

/// The memo table of [`Log`], by identity.
const LOG: &str = "step-log";

/// Which identity each step of a project had when it was built last.
pub(crate) struct History {
    project: Digest,
    last: BTreeMap<Digest, DerivationId>,
}

/// How the making of an output went.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Log {
    /// The step's label then.
    pub(crate) step: String,
    /// `built` or `imported`.
    pub(crate) how: String,
    /// When it ended, in seconds since 1970.
    pub(crate) ended_seconds: i64,
    pub(crate) took_ms: u64,
    /// What it read and wrote.
    pub(crate) bytes: u64,
    pub(crate) reasons: Vec<RebuildReason>,
    /// The steps that filled its roles, in the order of its inputs.
    pub(crate) inputs: Vec<String>,
    pub(crate) warnings: Vec<String>,
}

impl History {
    /// The last build of the project in `folder`.
    pub(crate) fn load(store: &dyn Store, folder: &Path) -> Result<History, Failure> {
        let folder =
            std::path::absolute(folder).map_err(|error| Failure::io("resolve", folder, &error))?;
        let name = folder.as_os_str().as_encoded_bytes();
        let project = Digest::derive("mediabuild 2026-11 project", name);
        let last = remembered(store, &project)?;
        Ok(History { project, last })
    }

    /// The identity that the step named `key` had last.
    pub(crate) fn last(&self, key: &str) -> Option<DerivationId> {
        self.last.get(&digest_of_key(key)).copied()
    }

    /// A lock of the project's own for a step that has no identity yet, such as an import.
    pub(crate) fn lock_id(&self, key: &str) -> DerivationId {
        let name = [self.project.as_bytes().as_slice(), key.as_bytes()].concat();
        DerivationId(Digest::derive("mediabuild 2026-11 import lock", &name))
    }

    /// Remembers what steps are now; writes only if that is news.
    pub(crate) fn update<'k>(
        &self,
        store: &dyn Store,
        now: impl Iterator<Item = (&'k str, DerivationId)>,
    ) -> Result<(), Failure> {
        let news: Vec<(Digest, DerivationId)> = now
            .map(|(key, id)| (digest_of_key(key), id))
            .filter(|(key, id)| self.last.get(key) != Some(id))
            .collect();
        if news.is_empty() {
            return Ok(());
        }
        // Another process may have built other targets meanwhile.
        let mut last = remembered(store, &self.project)?;
        last.extend(news);
        let mut batch = store.batch()?;
        batch.put_memo(LAST_BUILD, &self.project, &encode(&last))?;
        Ok(batch.commit()?)
    }
}

fn remembered(
    store: &dyn Store,
    project: &Digest,
) -> Result<BTreeMap<Digest, DerivationId>, Failure> {
    let memo = store.memo(LAST_BUILD, project)?;
    Ok(memo.map(|memo| decode(&memo)).unwrap_or_default())
}

/// What the identity `id` was made of.
pub(crate) fn fields(store: &dyn Store, id: &DerivationId) -> Result<Option<Fields>, Failure> {
    let memo = store.memo(FIELDS, &id.0)?;
    Ok(memo.and_then(|memo| serde_json::from_slice(&memo).ok()))
}

/// How the making of `id` went.
pub(crate) fn log(store: &dyn Store, id: &DerivationId) -> Result<Option<Log>, Failure> {
    let memo = store.memo(LOG, &id.0)?;
    Ok(memo.and_then(|memo| serde_json::from_slice(&memo).ok()))
}

/// Remembers both with the realisation, as long as its output is kept.
pub(crate) fn put(
    batch: &mut dyn Batch,
    id: &DerivationId,
    output: &Output,
    fields: &Fields,
    log: &Log,
) -> Result<(), Failure> {
    let encoded = |value: serde_json::Result<Vec<u8>>| value.expect("plain data is JSON");
    let about = output.digest();
    batch.put_memo_about(FIELDS, &id.0, &about, &encoded(serde_json::to_vec(fields)))?;
    batch.put_memo_about(LOG, &id.0, &about, &encoded(serde_json::to_vec(log)))?;
    Ok(())
}

fn digest_of_key(key: &str) -> Digest {
    Digest::derive("mediabuild 2026-11 step", key.as_bytes())
}

/// Pairs of key and identity, 32 bytes each, by key.
fn encode(last: &BTreeMap<Digest, DerivationId>) -> Vec<u8> {
    last.iter().flat_map(|(key, id)| [*key.as_bytes(), *id.0.as_bytes()]).flatten().collect()
}

/// A remainder that is no pair is left out: what cannot be read was never built.
fn decode(bytes: &[u8]) -> BTreeMap<Digest, DerivationId> {
    let (pairs, _) = bytes.as_chunks::<32>();
    let (pairs, _) = pairs.as_chunks::<2>();
    let pair = |[key, id]: &[[u8; 32]; 2]| {
        (Digest::from_bytes(*key), DerivationId(Digest::from_bytes(*id)))
    };
    pairs.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use mediabuild_store::{DerivationId, Digest, MemoryStore};

    use super::History;

    #[test]
    fn a_build_is_remembered_by_project_and_step() {
        let store = MemoryStore::default();
        let (here, there) = (std::path::Path::new("/a"), std::path::Path::new("/b"));
        let id = |text: &str| DerivationId(Digest::of(text.as_bytes()));
        let load = |folder| History::load(&store, folder).expect("loaded");
        load(here).update(&store, [("x", id("1")), ("y", id("2"))].into_iter()).expect("stored");
        let (one, other) = (load(here), load(here));
        one.update(&store, [("y", id("3"))].into_iter()).expect("stored");
        other.update(&store, [("w", id("4"))].into_iter()).expect("stored");
        assert_eq!(load(here).last("w"), Some(id("4")));
        assert_eq!(load(here).last("x"), Some(id("1")));
        assert_eq!(load(here).last("y"), Some(id("3")));
        assert_eq!(load(here).last("z"), None);
        assert_eq!(load(there).last("x"), None);
    }
}
