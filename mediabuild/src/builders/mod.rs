//! Builders: one file each, one line each in [`BUILDERS`].
//!
//! A builder is a complete request: its struct holds every option, its inputs are outputs of other
//! derivations, and [`BuildContext`] lets it reach the store and nothing else. Only [`import`]
//! reads the world. This folder is the one place where the store and the formats meet.

pub(crate) mod boot_files;
pub(crate) mod boot_image;
pub(crate) mod bootable;
pub(crate) mod import;
pub(crate) mod import_folder;
pub(crate) mod import_stat;
pub(crate) mod import_wim;
pub(crate) mod os_image;
pub(crate) mod package;
pub(crate) mod prestaged;
pub(crate) mod start_script;
pub(crate) mod variables;
pub(crate) mod wim_content;
pub(crate) mod wim_edit;
pub(crate) mod wim_part;

#[cfg(test)]
mod tests;

use mediabuild_formats::{iso, variables as variables_format, wim};
use mediabuild_store::{Content, DirectoryError, Output, Store};
use serde_json::Value;

use crate::cancel;
use crate::derivation::Inputs;
use crate::failure::Failure;
use crate::progress::Job;

/// A builder's name and version. Output bytes change only together with the version; the digests
/// pinned in `tests/reproducible.rs` hold that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BuilderVersion {
    pub(crate) name: &'static str,
    pub(crate) version: u32,
}

/// Every builder that makes a derivation with an identity.
pub(crate) const BUILDERS: &[BuilderVersion] = &[
    boot_files::BUILDER,
    boot_image::BUILDER,
    bootable::BUILDER,
    os_image::BUILDER,
    package::BUILDER,
    prestaged::BUILDER,
    variables::BUILDER,
    wim_part::BUILDER,
];

/// One step's complete request.
pub(crate) trait Builder: Send + Sync {
    /// Its line in [`BUILDERS`]; `import` for imports.
    fn builder(&self) -> BuilderVersion;

    /// Every option that can change the output, as JSON: what is hashed is what is explained.
    /// No absolute path, no time of day, no secret's value.
    fn options(&self) -> Value;

    /// Makes the output out of the inputs.
    fn build(&self, inputs: &Inputs, context: &BuildContext<'_>) -> Result<Output, Failure>;

    /// An import reads the world: it has no identity, and its output is looked at in each run.
    fn is_import(&self) -> bool {
        false
    }

    /// How many bytes it will read, where that is known; for progress only.
    fn total_bytes(&self) -> Option<u64> {
        None
    }

    fn name(&self) -> &'static str {
        self.builder().name
    }

    fn version(&self) -> u32 {
        self.builder().version
    }
}

/// All a builder can reach.
pub(crate) struct BuildContext<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) job: &'a Job<'a>,
    /// Receives warnings for the user.
    pub(crate) warn: &'a (dyn Fn(&str) + Sync),
}

impl BuildContext<'_> {
    /// `bytes` more were read; an error if it is time to stop.
    pub(crate) fn advance(&self, bytes: u64) -> Result<(), Failure> {
        self.job.advance(bytes);
        cancel::check()
    }
}

/// The content of an input that must be one.
pub(crate) fn content_input(inputs: &Inputs, role: &str) -> Result<Content, Failure> {
    match inputs.get(role) {
        Some(Output::Content(content)) => Ok(*content),
        other => Err(wrong_input(role, "a file", other)),
    }
}

/// A format's error says where and what was expected; it is the build (or the look) that fails.
macro_rules! build_failures {
    ($($error:ty),*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Failure::build(error.to_string())
            }
        }
    )*};
}

build_failures!(
    iso::ReadError,
    iso::WriteError,
    variables_format::Error,
    wim::Error,
    DirectoryError
);

fn wrong_input(role: &str, expected: &str, found: Option<&Output>) -> Failure {
    let found = match found {
        None => "nothing",
        Some(Output::Content(_)) => "a file",
        Some(Output::Directory(_)) => "a folder",
    };
    Failure::build(format!("`{role}` must be {expected}, and it is {found}"))
}

/// All files of an output that is a directory; an output that is a single file is refused, since
/// it has no name of its own.
pub(crate) fn files_of(
    context: &BuildContext<'_>,
    role: &str,
    output: &Output,
) -> Result<Vec<(String, Content)>, Failure> {
    match output {
        Output::Directory(digest) => Ok(mediabuild_store::walk(context.store, digest)?),
        Output::Content(_) => Err(wrong_input(role, "a folder", Some(output))),
    }
}
