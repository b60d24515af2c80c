//! Copying stored bytes into a batch, whether or not the store has them: to move what is good out
//! of a file that will go.

use super::batch::{DiskBatch, LOOSE_BYTES_MIN};
use crate::copy::Growing;
use crate::shelf::{Located, Shelf};
use crate::{Digest, Error};

impl DiskBatch<'_> {
    /// Copies `digest`, whose bytes lie at `located`. Answers `false`, and copies nothing, if they
    /// are damaged or absent. Committed, the copy takes the place of the original in the index.
    pub(super) fn copy(&mut self, digest: &Digest, located: &Located) -> Result<bool, Error> {
        if self.holds(digest) {
            return Ok(true);
        }
        let copied = match located.stored_bytes < LOOSE_BYTES_MIN as u64 {
            true => self.copy_small(digest, located),
            false => self.copy_large(digest, located),
        };
        match copied {
            Ok(()) => Ok(true),
            Err(Error::Corrupt { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn copy_small(&mut self, digest: &Digest, located: &Located) -> Result<(), Error> {
        let bytes = self.store().source(located.container)?.read_verified(digest, located)?;
        let offset_bytes = self.write_packed(located.kind, digest, &bytes)?;
        let found = located.found();
        self.record(located.kind, *digest, located.stored_bytes, found, Some(offset_bytes));
        Ok(())
    }

    fn copy_large(&mut self, digest: &Digest, located: &Located) -> Result<(), Error> {
        let source = self.store().source(located.container)?;
        let mut file = self.create_loose()?;
        let mut growing = Growing::default();
        source.stream_verified(digest, located, LOOSE_BYTES_MIN, &mut |piece| {
            let written = growing.write(file.as_file_mut(), piece);
            written.map_err(Error::write(file.path(), piece.len() as u64))
        })?;
        growing.finish(file.as_file()).map_err(Error::write(file.path(), 0))?;
        self.keep_loose(located.kind, *digest, file)?;
        self.record(located.kind, *digest, located.stored_bytes, located.found(), None);
        Ok(())
    }
}
