//! Which inputs must be pinned: those of which a clone of the repository does not bring the bytes.

use std::path::Path;

use mediabuild_schema::{DeclaredInput, Place};

use crate::builders::import_folder::list;
use crate::failure::Failure;
use crate::git::Tracked;
use crate::plan::plain_filter;

/// What decides that, for all inputs of a project.
pub(crate) struct Required {
    /// `None`: the project is in no repository, so nothing must be pinned but what is fetched.
    tracked: Option<Tracked>,
}

impl Required {
    /// Asks git about `folder`.
    pub(crate) fn of(folder: &Path) -> Result<Required, Failure> {
        Ok(Required { tracked: Tracked::of(folder)? })
    }

    fn knows_git(&self) -> bool {
        self.tracked.is_some()
    }

    /// Whether git holds every byte of the input.
    pub(crate) fn is_tracked(&self, input: &DeclaredInput<'_>) -> Result<bool, Failure> {
        let (Some(tracked), Some(path)) = (&self.tracked, input.path()) else { return Ok(false) };
        let path = &path.path;
        if !path.is_dir() {
            return Ok(tracked.holds(&input.name));
        }
        let filter = input.filter.map(plain_filter).unwrap_or_default();
        let files = list(path, &filter.matcher()?, input.follow_symlinks)?;
        Ok(files.iter().all(|file| tracked.holds(&format!("{}/{}", input.name, file.name))))
    }

    /// Whether the input must have an entry.
    pub(crate) fn must_be_pinned(&self, input: &DeclaredInput<'_>) -> Result<bool, Failure> {
        Ok(is_fetched(input) || (self.knows_git() && !self.is_tracked(input)?))
    }
}

/// What a server sends may be another file tomorrow, so no build goes without a pin.
pub(super) fn is_fetched(input: &DeclaredInput<'_>) -> bool {
    matches!(input.place, Place::Url(_))
}
