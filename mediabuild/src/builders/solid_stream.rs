//! Blobs out of solid resources, one after the other: as long as they are asked for in their order
//! there, each chunk (of 64 MiB, most often) is decoded once.

use std::io::{self, Read};

use mediabuild_formats::wim::{BlobEntry, Wim};

use super::wim_content::WimContent;
use crate::failure::Failure;

/// The order of solid blobs: by run, then by offset.
pub(super) fn solid_place(wim: &Wim, entry: &BlobEntry) -> Result<(usize, u64), Failure> {
    Ok((wim.run_number(entry)?, entry.resource.offset_bytes))
}

/// Reads on through a run.
#[derive(Default)]
pub(super) struct SolidStream<'a> {
    open: Option<Open<'a>>,
}

struct Open<'a> {
    run: usize,
    /// In the uncompressed bytes of the run.
    position_bytes: u64,
    reader: Box<dyn Read + Send + 'a>,
}

impl<'a> SolidStream<'a> {
    /// The bytes from the first of a blob on. Skips what lies between it and what was read before;
    /// a blob that lies behind that is decoded from its first chunk on.
    pub(super) fn blob(
        &mut self,
        wim: &'a WimContent,
        entry: &BlobEntry,
    ) -> Result<&mut (dyn Read + Send + 'a), Failure> {
        let (run, offset_bytes) = solid_place(&wim.wim, entry)?;
        let goes_on = |open: &Open<'_>| open.run == run && open.position_bytes <= offset_bytes;
        if !self.open.as_ref().is_some_and(goes_on) {
            let reader = Box::new(wim.run_reader(entry)?);
            self.open = Some(Open { run, position_bytes: offset_bytes, reader });
        }
        let open = self.open.as_mut().expect("it was just made");
        open.skip_to(offset_bytes)
            .map_err(|error| Failure::build(format!("cannot read blob {}: {error}", entry.sha1)))?;
        Ok(open)
    }

    /// Goes on where the last blob was left.
    pub(super) fn go_on(&mut self) -> &mut (dyn Read + Send + 'a) {
        self.open.as_mut().expect("a blob is open")
    }
}

impl Open<'_> {
    fn skip_to(&mut self, offset_bytes: u64) -> io::Result<()> {
        let gap = offset_bytes - self.position_bytes;
        let skipped = io::copy(&mut self.reader.by_ref().take(gap), &mut io::sink())?;
        self.position_bytes += skipped;
        if skipped == gap { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

impl Read for Open<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.position_bytes += count as u64;
        Ok(count)
    }
}
