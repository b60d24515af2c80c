//! `Proof`: that an output was found whole, kept with it, so that a later process need
//! not read the recipes and directories again that it is made of.
//!
//! A proof names the files that the output, with all it needs, lies in, and a stamp of each (length,
//! inode, times). It holds as long as no row was removed since (the index counts removals as its
//! *generation*) and each file still has its stamp: then the rows still name these files, and the
//! files are those that were read. Files here never change, so another stamp means damage, or a
//! store that was copied, and then everything is read once more.

use std::collections::HashMap;

use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use super::DiskStore;
use super::stored_file::StoredFile;
use crate::decode::Decoder;
use crate::shelf::{Container, Kind};
use crate::whole::Containers;
use crate::{DecodeError, DerivationId, Error, Output, os};

/// More files than this are not worth a proof: looking at them costs what it would save.
const FILES_MAX: usize = 1000;

/// The number of a pack's file among the kinds of objects.
const PACK: u8 = 0;

/// As it is kept in the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proof {
    pub(super) generation: i64,
    /// Kind, digest and stamp of each file.
    pub(super) files: Vec<u8>,
}

/// What a proof is kept with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// A realisation, as long as it has that output.
    Realisation(DerivationId, Output),
    /// An output that nobody realised: an import's.
    Output(Output),
}

impl Subject {
    pub(super) fn output(&self) -> Output {
        match self {
            Subject::Realisation(_, output) | Subject::Output(output) => *output,
        }
    }
}

/// A proof to be kept.
pub(super) type NewProof = (Subject, Proof);

/// The stamps of files, each looked at once; `None` if it is gone.
#[derive(Default)]
pub(super) struct Stamps {
    stamps: HashMap<StoredFile, Option<u64>>,
}

impl Stamps {
    /// Looks at the files that `proofs` name, on all cores.
    pub(super) fn look<'a>(store: &DiskStore, proofs: impl Iterator<Item = &'a Proof>) -> Stamps {
        let mut files: Vec<StoredFile> = proofs
            .filter_map(|proof| decode(&proof.files).ok())
            .flat_map(|files| files.into_iter().map(|(file, _)| file))
            .collect();
        files.sort_unstable();
        files.dedup();
        let stamps = files.into_par_iter().map(|file| (file, stamp(store, &file))).collect();
        Stamps { stamps }
    }

    /// Whether `proof` still holds in an index of that generation.
    pub(super) fn confirm(&self, proof: &Proof, generation: i64) -> bool {
        let is_same = |(file, stamp): &(StoredFile, u64)| {
            self.stamps.get(file).is_some_and(|found| *found == Some(*stamp))
        };
        proof.generation == generation
            && decode(&proof.files).is_ok_and(|files| files.iter().all(is_same))
    }

    /// The proof of what lies in `containers`; `None` if they are too many, or one is gone.
    pub(super) fn prove(
        &mut self,
        store: &DiskStore,
        containers: &Containers,
        generation: i64,
    ) -> Result<Option<Proof>, Error> {
        if containers.len() > FILES_MAX {
            return Ok(None);
        }
        let mut files = Vec::with_capacity(containers.len() * 41);
        for container in containers.iter() {
            let Some(file) = stored_file(store, *container)? else { return Ok(None) };
            let stamp = self.stamps.entry(file).or_insert_with(|| stamp(store, &file));
            let Some(stamp) = stamp else { return Ok(None) };
            encode(&file, *stamp, &mut files);
        }
        Ok(Some(Proof { generation, files }))
    }
}

fn stamp(store: &DiskStore, file: &StoredFile) -> Option<u64> {
    Some(os::stamp(&file.path(&store.place).metadata().ok()?))
}

fn stored_file(store: &DiskStore, container: Container) -> Result<Option<StoredFile>, Error> {
    Ok(match container {
        Container::Object(kind, digest) => Some(StoredFile::Object(kind, digest)),
        Container::Pack(number) => store.index.pack_id(number)?.map(StoredFile::Pack),
    })
}

fn encode(file: &StoredFile, stamp: u64, out: &mut Vec<u8>) {
    let (kind, digest) = match file {
        StoredFile::Pack(id) => (PACK, id),
        StoredFile::Object(kind, digest) => (*kind as u8, digest),
    };
    out.push(kind);
    out.extend_from_slice(digest.as_bytes());
    out.extend_from_slice(&stamp.to_le_bytes());
}

fn decode(bytes: &[u8]) -> Result<Vec<(StoredFile, u64)>, DecodeError> {
    let mut decoder = Decoder::new(bytes);
    let mut files = Vec::new();
    while !decoder.is_empty() {
        let (kind, digest) = (decoder.u8()?, decoder.digest()?);
        let file = match kind {
            PACK => StoredFile::Pack(digest),
            kind => {
                let kind = Kind::from_number(kind.into()).ok_or(decoder.error("no kind"))?;
                StoredFile::Object(kind, digest)
            }
        };
        files.push((file, decoder.u64()?));
    }
    Ok(files)
}
