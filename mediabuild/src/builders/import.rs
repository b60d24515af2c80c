//! `import`: one file of the world → a blob.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mediabuild_store::{Batch, Content, Digest, Output};
use serde_json::{Value, json};

use super::import_read::{Unread, read_file};
use super::import_recall::StatCaches;
use super::import_stat::{Fingerprint, ImportKey, StatCache};
use super::sha1::Sha1Wanted;
use super::{BuildContext, Builder, BuilderVersion};
use crate::derivation::Inputs;
use crate::failure::Failure;
use crate::listing::Listing;
use crate::os::StatKey;

/// Imports have no identity; the name is for messages.
pub(crate) const IMPORT: BuilderVersion = BuilderVersion { name: "import", version: 0 };

/// Reads one file.
pub(crate) struct ImportFile {
    /// Where it is on this machine.
    pub(crate) path: PathBuf,
    /// How the project names it.
    pub(crate) project_path: String,
    /// How many bytes it has, for progress.
    pub(crate) total_bytes: Option<u64>,
    /// What the probe found there.
    pub(crate) listing: Option<Arc<Listing>>,
    /// Files are taken out of it, so that no WIM will want its own SHA-1.
    pub(crate) is_container: bool,
}

impl Builder for ImportFile {
    fn builder(&self) -> BuilderVersion {
        IMPORT
    }

    fn options(&self) -> Value {
        json!({ "file": self.project_path })
    }

    fn is_import(&self) -> bool {
        true
    }

    fn reads(&self) -> Option<&str> {
        Some(&self.project_path)
    }

    fn total_bytes(&self) -> Option<u64> {
        self.total_bytes
    }

    fn stat_cache_key(&self) -> Option<Digest> {
        key(KIND, &self.path).digest()
    }

    fn recall(&self, caches: &StatCaches) -> Option<Output> {
        recall_file(KIND, &self.path, self.listing.as_deref()?, caches)
    }

    fn build(&self, _: &Inputs, context: &BuildContext<'_>) -> Result<Output, Failure> {
        let mut import = FileImport::begin(KIND, &self.path, context)?;
        let mut batch = context.store.batch()?;
        let sha1 = if self.is_container { Sha1Wanted::No } else { context.sha1 };
        let content = import.content(sha1, context, batch.as_mut())?;
        import.finish(content, batch.as_mut())?;
        batch.commit()?;
        Ok(Output::Content(content))
    }
}

const KIND: &str = "file";

/// The key of a file's stat cache.
pub(super) fn key<'a>(kind: &'a str, path: &'a Path) -> ImportKey<'a> {
    ImportKey { kind, path, options: &[], follow_symlinks: true }
}

/// The output of a file's import, if the file is as it was. `kind` tells apart what was looked
/// for in it.
pub(super) fn recall_file(
    kind: &str,
    path: &Path,
    found: &Listing,
    caches: &StatCaches,
) -> Option<Output> {
    caches.output(&key(kind, path).digest()?, || {
        Some(Fingerprint::of(found.files.iter().map(|file| (file.name.as_str(), file.stat))))
    })
}

/// The import of one file on its way: looked up by its stat, or read.
pub(super) struct FileImport<'a> {
    path: &'a Path,
    stat: StatKey,
    cache: StatCache,
}

impl<'a> FileImport<'a> {
    pub(super) fn begin(
        kind: &'a str,
        path: &'a Path,
        context: &BuildContext<'_>,
    ) -> Result<Self, Failure> {
        let cache = StatCache::load(&key(kind, path), context)?;
        Ok(FileImport { path, stat: StatKey::of(&stat(path)?), cache })
    }

    /// The file's content, now in the store or in `batch`.
    pub(super) fn content(
        &mut self,
        sha1: Sha1Wanted,
        context: &BuildContext<'_>,
        batch: &mut dyn Batch,
    ) -> Result<Content, Failure> {
        let content = match self.cache.lookup("", self.stat) {
            Some(content) => content,
            None => {
                let unread = Unread { path: self.path, before: self.stat };
                read_file(unread, sha1, context, batch)?
            }
        };
        self.cache.note("", self.stat, content);
        Ok(content)
    }

    /// Remembers that the file was found good.
    pub(super) fn finish(self, content: Content, batch: &mut dyn Batch) -> Result<(), Failure> {
        let stat = self.stat;
        let fingerprint = Fingerprint::of(std::iter::once(("", stat)));
        self.cache.put(fingerprint, &Output::Content(content), batch)
    }
}

/// The metadata of `path`, following links.
pub(crate) fn stat(path: &Path) -> Result<Metadata, Failure> {
    std::fs::metadata(path).map_err(|error| Failure::io("look at", path, &error))
}

/// A content of the store that cannot be read: the disk's fault, or damage.
pub(crate) fn corrupt(digest: &Digest, error: std::io::Error) -> Failure {
    let failure = Failure::from(mediabuild_store::Error::from_read(error));
    let failure = failure.while_doing(format!("reading `{}` from the store", digest.short()));
    if failure.help.is_some() { failure } else { failure.help("mediabuild store verify") }
}
