//! An import that is held against the lock: it gives what is pinned, or fails. Where the input is
//! not on this machine, the store may have it all the same.

use std::io::ErrorKind;
use std::path::PathBuf;

use mediabuild_store::{Digest, Output};
use serde_json::Value;

use super::import_recall::StatCaches;
use super::{BuildContext, Builder, BuilderVersion, import_wim};
use crate::derivation::Inputs;
use crate::failure::Failure;
use crate::git;
use crate::lock::{Pin, bytes_of};
use crate::schedule::Tokens;

/// What a pinned input is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadAs {
    File,
    Wim,
    Iso,
    Folder,
}

/// An import with its pin.
pub(crate) struct ImportPinned {
    pub(crate) import: Box<dyn Builder>,
    pub(crate) pin: Pin,
    pub(crate) read_as: ReadAs,
    /// Where the input is on this machine, if it is.
    pub(crate) path: PathBuf,
    /// The project's folder.
    pub(crate) folder: PathBuf,
}

impl Builder for ImportPinned {
    fn builder(&self) -> BuilderVersion {
        self.import.builder()
    }

    fn options(&self) -> Value {
        self.import.options()
    }

    fn is_import(&self) -> bool {
        true
    }

    fn reads(&self) -> Option<&str> {
        self.import.reads()
    }

    fn total_bytes(&self) -> Option<u64> {
        self.import.total_bytes()
    }

    fn stored_bytes(&self) -> Option<u64> {
        self.import.stored_bytes()
    }

    fn stat_cache_key(&self) -> Option<Digest> {
        self.import.stat_cache_key()
    }

    fn recall(&self, caches: &StatCaches) -> Option<Output> {
        if self.is_absent() {
            return Some(self.pin.output());
        }
        self.import.recall(caches).filter(|output| self.pin.fits(output))
    }

    fn needs(&self) -> Tokens {
        self.import.needs()
    }

    fn build(&self, inputs: &Inputs, context: &BuildContext<'_>) -> Result<Output, Failure> {
        if self.is_absent() {
            return self.substitute(context);
        }
        let output = self.import.build(inputs, context)?;
        self.pin.check(&output, || bytes_of(&output, context.store))?;
        Ok(output)
    }
}

impl ImportPinned {
    fn is_absent(&self) -> bool {
        self.path.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound)
    }

    /// What is pinned, out of the store.
    fn substitute(&self, context: &BuildContext<'_>) -> Result<Output, Failure> {
        let Some(output) = self.pin.in_store(context.store)? else { return Err(self.absent()) };
        tracing::info!("{} is not here; taken from the store", self.pin.name());
        if self.read_as == ReadAs::Wim {
            import_wim::check(&output, context)?;
        }
        Ok(output)
    }

    fn absent(&self) -> Failure {
        let (name, place) = (self.pin.name(), self.pin.place());
        let absence = git::absence(&self.folder, name).unwrap_or_else(|| "is not here".into());
        let message = format!("`{name}` {absence}, and the store does not have what {place} pins");
        let put = format!("put it at `{}`", self.path.display());
        Failure::build(message).help(match self.read_as {
            ReadAs::Folder => put,
            ReadAs::File | ReadAs::Wim | ReadAs::Iso => format!(
                "{put}, or into the store: mediabuild store add --expect {} FILE",
                self.pin.expectation()
            ),
        })
    }
}
