//! Files of a disc.

use std::io::{Read, Write};

use mediabuild_formats::source::Source;
use mediabuild_formats::volume::FileReader;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use super::place::Place;
use super::tree::{Content, File, Plan};
use crate::cancel;
use crate::failure::Failure;
use crate::progress::Job;

/// Bytes that are copied at once.
const PIECE_BYTES: usize = 1 << 20;

/// Writes the files of a plan, whose folders are there.
pub(super) fn write<S: Source + Sync>(
    source: &S,
    plan: &Plan,
    place: &Place,
    job: &Job<'_>,
) -> Result<(), Failure> {
    let size = |file: &File| match &file.content {
        Content::Disc(entry) => entry.size_bytes,
        Content::Blob(_) => 0,
    };
    job.expect(plan.files.iter().map(size).sum());
    plan.files.par_iter().try_for_each(|file| write_file(source, file, place, job))
}

fn write_file<S: Source>(
    source: &S,
    file: &File,
    place: &Place,
    job: &Job<'_>,
) -> Result<(), Failure> {
    let Content::Disc(entry) = &file.content else { return Ok(()) };
    let Some(mut opened) = place.make_file(&file.path)? else { return Ok(()) };
    let mut reader = FileReader::new(source, entry);
    let mut buffer = vec![0; (entry.size_bytes.min(PIECE_BYTES as u64) as usize).max(1)];
    loop {
        cancel::check()?;
        let count = match reader.read(&mut buffer) {
            Ok(0) => {
                return place.finish_file(&file.path, &opened, entry.size_bytes, file.modified);
            }
            Ok(count) => count,
            Err(error) => return place.give_up(&file.path, &format!("cannot read it: {error}")),
        };
        let written = opened.write_all(&buffer[..count]);
        written.map_err(|error| place.failure(&file.path, &error))?;
        job.advance(count as u64);
    }
}
