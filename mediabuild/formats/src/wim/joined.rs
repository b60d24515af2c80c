//! `Joined`: the parts of a split set, and WIMs that others are a delta of, as one source.
//!
//! Files lie one after the other, so that every resource has one offset, whichever file has it.

use std::io;

use super::archive::Wim;
use super::blob::BlobEntry;
use super::error::Error;
use super::header::ResourceHeader;
use super::solid::SolidRun;
use crate::source::Source;

/// Several files, read as if they were one.
#[derive(Debug)]
pub struct Joined<S> {
    files: Vec<(u64, S)>,
    size_bytes: u64,
}

impl<S: Source> Joined<S> {
    /// Files in this order.
    pub fn new(files: Vec<S>) -> Joined<S> {
        let mut size_bytes = 0_u64;
        let files = files.into_iter().map(|file| {
            let start = size_bytes;
            size_bytes = size_bytes.saturating_add(file.size_bytes());
            (start, file)
        });
        let files = files.collect();
        Joined { files, size_bytes }
    }
}

impl<S: Source> Source for Joined<S> {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn read_exact_at(&self, offset_bytes: u64, buffer: &mut [u8]) -> io::Result<()> {
        let file = self.files.partition_point(|(start, _)| *start <= offset_bytes).checked_sub(1);
        let (start, file) =
            file.map(|file| &self.files[file]).ok_or(io::ErrorKind::UnexpectedEof)?;
        file.read_exact_at(offset_bytes - start, buffer)
    }
}

/// Why files cannot be read as one.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct JoinError {
    /// Which of them, in the order they were given.
    pub file: usize,
    /// What is wrong with it.
    pub error: Error,
}

impl Wim {
    /// Opens the parts of a split set, all of them and in any order, or one WIM: the first
    /// `part_count` files. The others are WIMs that it may be a delta of; of those only contents are
    /// taken, and only those that the parts do not have.
    pub fn open_joined<S: Source>(source: &Joined<S>, part_count: usize) -> Result<Wim, JoinError> {
        let open = |(file, (_, source)): (usize, &(u64, S))| {
            Wim::open(source).map_err(|error| JoinError { file, error })
        };
        let mut wims = source.files.iter().enumerate().map(open).collect::<Result<Vec<_>, _>>()?;
        let starts: Vec<u64> = source.files.iter().map(|(start, _)| *start).collect();
        check_set(&wims[..part_count])?;
        let bases = wims.split_off(part_count);
        let parts: Vec<(u16, u64)> =
            wims.iter().zip(&starts).map(|(wim, start)| (wim.header.part_number, *start)).collect();
        for (wim, start) in wims.iter_mut().zip(&starts) {
            let here = |part| parts.iter().find(|(number, _)| *number == part).map(|found| found.1);
            wim.move_to(*start, |part| here(part).map(|start| (part, start)));
        }
        wims.sort_by_key(|wim| wim.header.part_number);
        let mut wims = wims.into_iter();
        let Some(mut whole) = wims.next() else {
            let error = Error::MissingPart { part_number: 1, part_count: 1 };
            return Err(JoinError { file: 0, error });
        };
        wims.for_each(|part| whole.add(part));
        whole.continue_runs(source).map_err(|error| JoinError { file: 0, error })?;
        let number = whole.header.part_number;
        for (mut base, start) in bases.into_iter().zip(&starts[part_count..]) {
            let own = base.header.part_number;
            base.move_to(*start, |part| (part == own).then_some((number, *start)));
            // What it does not have itself is no help; its images are its own.
            base.blobs.iter_mut().for_each(|blob| blob.reference_count = 0);
            base.images.clear();
            whole.add(base);
        }
        whole.members.sort_by_key(|member| member.start);
        whole.index();
        Ok(whole)
    }

    /// Moves everything to where it is among other files. `place` gives the number that a part goes
    /// by from now on and where its file begins, if it is there.
    fn move_to(&mut self, start: u64, place: impl Fn(u16) -> Option<(u16, u64)>) {
        let entries = self.blobs.iter_mut().chain(&mut self.images).chain(&mut self.solid);
        for entry in entries {
            let Some((number, start)) = place(entry.part_number) else { continue };
            entry.part_number = number;
            // The offset of a solid blob is none in a file.
            if !entry.is_solid() || entry.is_solid_resource() {
                move_resource(&mut entry.resource, start);
            }
        }
        for member in &mut self.members {
            member.start = start;
            for resource in [
                &mut member.header.blob_table,
                &mut member.header.xml,
                &mut member.header.integrity,
                &mut member.header.boot_metadata,
            ] {
                if resource.stored_bytes > 0 {
                    move_resource(resource, start);
                }
            }
            self.header = member.header.clone();
        }
    }

    /// In sets that Windows' own tools make, offsets of solid blobs go on from part to part, as if all
    /// solid resources of the set were one. That shows by blobs that reach beyond the resources of
    /// their run: then those of earlier parts are in front of it.
    fn continue_runs<S: Source>(&mut self, source: &S) -> Result<(), Error> {
        for run in 1..self.runs.len() {
            if self.reaches_beyond(source, run)? {
                self.runs[run].resources.start = 0;
            }
        }
        Ok(())
    }

    /// Takes in what another file has.
    fn add(&mut self, other: Wim) {
        let (blobs, solid) = (self.blobs.len(), self.solid.len());
        let runs = other.runs.into_iter().map(|SolidRun { resources: r, blobs: b }| SolidRun {
            resources: r.start + solid..r.end + solid,
            blobs: b.start + blobs..b.end + blobs,
        });
        self.runs.extend(runs);
        self.blobs.extend(other.blobs);
        self.solid.extend(other.solid);
        self.members.extend(other.members);
    }

    /// How many files it is.
    pub fn file_count(&self) -> usize {
        self.members.len()
    }

    /// Which of the files has an offset, in the order they were given, and where in that it is.
    pub fn file_at(&self, offset_bytes: u64) -> (usize, u64) {
        let file = self.member_at(offset_bytes);
        (file, offset_bytes - self.members[file].start)
    }

    /// Which of the files has the bytes of a blob, and where in that its resource is; of a solid
    /// blob, where the solid resources begin.
    pub fn place_of(&self, entry: &BlobEntry) -> (usize, u64) {
        let run = entry.is_solid().then(|| self.run_of(entry).ok()).flatten();
        let resource = run.and_then(|run| self.solid.get(self.runs[run].resources.start));
        let resource = resource.map_or(&entry.resource, |first| &first.resource);
        self.file_at(resource.offset_bytes)
    }

    /// What an error says, with offsets of the file that it is about, and which one that is.
    pub fn message_of(&self, error: &Error) -> (Option<usize>, String) {
        let Some(offset_bytes) = error.offset_bytes() else { return (None, error.to_string()) };
        let (file, within) = self.file_at(offset_bytes);
        let moved = error.moved_back(offset_bytes - within);
        (Some(file), moved.map_or_else(|| error.to_string(), |error| error.to_string()))
    }
}

fn move_resource(resource: &mut ResourceHeader, start: u64) {
    resource.offset_bytes = resource.offset_bytes.saturating_add(start);
}

/// An error unless these are all parts of one set.
fn check_set(parts: &[Wim]) -> Result<(), JoinError> {
    let Some(first) = parts.first() else { return Ok(()) };
    let part_count = first.header.part_count.max(1);
    for (file, part) in parts.iter().enumerate() {
        let wrong = |offset, expected: String| {
            Err(JoinError { file, error: Error::in_file(offset, expected) })
        };
        if part.header.guid != first.header.guid {
            return wrong(0x18, "the GUID that the other parts of the set have".to_owned());
        }
        if part.header.part_count != first.header.part_count {
            let expected = format!("{part_count} parts, found {}", part.header.part_count);
            return wrong(0x2a, expected);
        }
        let twice = parts[..file].iter().any(|it| it.header.part_number == part.header.part_number);
        if twice {
            let expected = format!("part {} of the set once", part.header.part_number);
            return wrong(0x28, expected);
        }
    }
    let missing = |number: &u16| parts.iter().all(|part| part.header.part_number != *number);
    match (1..=part_count).find(missing) {
        // A single file that says it is another part than the first is read as what it is.
        Some(_) if parts.len() == 1 && part_count == 1 => Ok(()),
        None => Ok(()),
        Some(part_number) => {
            Err(JoinError { file: 0, error: Error::MissingPart { part_number, part_count } })
        }
    }
}
