//! `import` of a split WIM: the files of its set → a directory of them, in order, whose resources are
//! registered as parts.
//!
//! Which files there are is the probe's to find: the definition names one, the others lie beside it.

use std::path::PathBuf;
use std::sync::Arc;

use mediabuild_store::{Digest, DirectoryBuilder, Output};
use serde_json::{Value, json};

use super::import::{IMPORT, key, recall_file, stat};
use super::import_read::{Unread, read_file};
use super::import_recall::StatCaches;
use super::import_stat::{Fingerprint, StatCache};
use super::import_wim::{check, say_what_to_do};
use super::sha1::Sha1Wanted;
use super::{BuildContext, Builder, BuilderVersion};
use crate::derivation::Inputs;
use crate::failure::Failure;
use crate::listing::Listing;
use crate::os::StatKey;

/// Reads all files of a set.
pub(crate) struct ImportWimSet {
    /// Where they are on this machine, part 1 first.
    pub(crate) paths: Vec<PathBuf>,
    /// How the project names the one that the definition says.
    pub(crate) project_path: String,
    /// How many bytes they have, for progress. Each is read twice: stored, then checked.
    pub(crate) total_bytes: u64,
    /// What the probe found there, in the same order.
    pub(crate) listing: Option<Arc<Listing>>,
}

const KIND: &str = "split wim checked 1";

impl Builder for ImportWimSet {
    fn builder(&self) -> BuilderVersion {
        IMPORT
    }

    fn options(&self) -> Value {
        json!({ "wim": self.project_path, "parts": self.paths.len() })
    }

    fn is_import(&self) -> bool {
        true
    }

    fn reads(&self) -> Option<&str> {
        Some(&self.project_path)
    }

    fn total_bytes(&self) -> Option<u64> {
        Some(self.total_bytes * 2)
    }

    fn stat_cache_key(&self) -> Option<Digest> {
        key(KIND, self.paths.first()?).digest()
    }

    fn recall(&self, caches: &StatCaches) -> Option<Output> {
        recall_file(KIND, self.paths.first()?, self.listing.as_deref()?, caches)
    }

    fn stored_bytes(&self) -> Option<u64> {
        Some(self.total_bytes)
    }

    fn build(&self, _: &Inputs, context: &BuildContext<'_>) -> Result<Output, Failure> {
        let first = self.paths.first().ok_or_else(|| Failure::build("a set without files"))?;
        let mut cache = StatCache::load(&key(KIND, first), context)?;
        let mut batch = context.store.batch()?;
        let (mut directory, mut stats) = (DirectoryBuilder::default(), Vec::new());
        for (number, path) in (1..).zip(&self.paths) {
            let (name, before) = (part_name(number), StatKey::of(&stat(path)?));
            let content = match cache.lookup(&name, before) {
                Some(content) => content,
                None => {
                    let unread = Unread { path, before };
                    read_file(unread, Sha1Wanted::No, context, batch.as_mut())?
                }
            };
            cache.note(&name, before, content);
            directory.insert(&name, content)?;
            stats.push((name, before));
        }
        let output = Output::Directory(directory.put(batch.as_mut())?);
        batch.commit()?;
        check(&output, context).map_err(say_what_to_do)?;
        let mut batch = context.store.batch()?;
        let stats = stats.iter().map(|(name, stat)| (name.as_str(), *stat));
        cache.put(Fingerprint::of(stats), &output, batch.as_mut())?;
        batch.commit()?;
        Ok(output)
    }
}

/// What a part is called in the directory: its place in the set, whatever its file is called.
pub(crate) fn part_name(number: usize) -> String {
    format!("{number:05}.swm")
}
