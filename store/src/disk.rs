//! `DiskStore`: a store in a folder.
//!
//! # Layout
//!
//! ```text
//! format                     "mediabuild store 2", and the features in use
//! objects/ab/<digest>        a blob of 1 MiB or more, read-only
//!            <digest>.recipe, .directory, .parts      the same for large encodings
//! packs/<id>                 one batch's small things, back to back, with a table at the end
//! index.sqlite               what lies where; realisations, memos, roots (WAL)
//! secret-key                 32 random bytes, mode 0600
//! gate.lock                  held shared by commits, exclusively by whoever removes files or rows
//! gate.turn                  the queue at the gate
//! reserve                    8 MiB that a collection gives away first, to work on a full disk
//! trash/lock                 held while a collection runs
//! trash/<name>/...           files that were removed and are being unlinked
//! locks/<derivation id>      locked by who builds it, while it does
//! leases/<pid>-<random>      what living processes use, locked by each
//! quarantine/<name>          damaged files that `quarantine` moved aside
//! tmp/lock                   held while a process joins or sweeps tmp/
//! tmp/<name>/lock            held as long as the process that owns the folder lives
//! tmp/<name>/<batch>/...     files of batches that are not committed
//! ```
//! All bytes are in `objects/` and `packs/`; their kinds are in file names and pack tables, and
//! the parts of containers in `.parts` objects, so the index's `object` and `part` tables can be
//! made anew from the files ([`DiskStore::rebuild_index`]).
//!
//! # Why a crash loses nothing
//!
//! A file in `objects/` or `packs/` never changes: it comes by a rename, whole and flushed, and goes
//! by a rename. A row of the index says that a file is there. The two are kept in step by order:
//!
//! | | order | cut short between |
//! |---|---|---|
//! | commit | files flushed, renamed, folders flushed, then rows | files that no row names |
//! | collection | rows, then files renamed to `trash/`, then unlinked | files that no row names |
//! | moving | a commit of copies, then a collection of the rest | things are there twice |
//! | repair | a commit of what is good, then the damaged file, then its rows | a row without its file |
//! | new index | the whole of it flushed elsewhere, then renamed | the old index |
//!
//! Each set of rows is one transaction of SQLite with `synchronous=FULL`, which survives a power cut
//! as a whole or not at all. So after any crash:
//!
//! - a row has its file, with the right bytes, or (a repair was cut short, or somebody removed the
//!   file) it has none and counts as absent, as does a recipe or directory whose bytes are damaged:
//!   what made it makes it again;
//! - a file without a row is seen by nobody, replaced by a commit of the same content, and removed
//!   by the next collection;
//! - an error of a flush ends its batch before the first rename: what the disk refused is not named.
//!
//! Everything else may be lost without harm: `tmp/`, `trash/`, `locks/` and `leases/` are swept
//! where nobody holds their locks, and the kernel gives up the locks of the dead.
//!
//! # Why a collection takes nothing from the living
//!
//! A process appends each digest to its lease file *before* it looks it up, and then passes the
//! gate. A collector marks at leisure; then it holds the gate exclusively, reads the leases and the
//! roots once more, and only then removes rows and files. So a lease is either read by the
//! collector, which keeps the thing with all it needs, where it is; or its owner passes the gate
//! when the removal is over, and sees what is left. While the gate is held no commit is under way,
//! so a file without a row is nobody's. Age decides nothing.

mod batch;
mod copy;
mod derivation_lock;
mod encodings;
mod format;
mod gate;
mod gc;
mod index;
mod known_places;
mod lease;
mod locate;
mod pack;
mod place;
mod proof;
mod publish;
mod put_directories;
mod quarantine;
mod realisations;
mod rebuild;
mod scratch;
mod stored_file;
mod verify;

pub use gc::{GcOptions, GcReport, RootUsage, Usage};
pub use quarantine::Quarantined;
pub use rebuild::RebuildReport;
pub use verify::{ScrubOptions, ScrubReport};

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use batch::DiskBatch;
use index::Index;
use known_places::KnownPlaces;
use lease::Leases;
use place::Place;
use proof::NewProof;
use scratch::{Scratch, ScratchFolder};

use crate::reader::{Source, resolve};
use crate::shelf::{self, Container, Kind, Located, Shelf};
use crate::whole::KnownWhole;
use crate::{
    Batch, Conflict, Content, DerivationId, DerivationLock, Digest, Directory, Error, Output, Part,
    Problem, RandomReader, Reader, Recipe, Root, Store, part_table,
};

/// A store in a folder, shared by threads and processes.
///
/// What was looked up or stored through a handle, and all that it needs, stays as long as the
/// handle lives, whoever collects garbage meanwhile (see [`DiskStore::gc`]).
pub struct DiskStore {
    place: Place,
    index: Index,
    leases: Leases,
    /// Our folder below `tmp/`, made by the first batch that writes a file.
    scratch: Mutex<Option<Scratch>>,
    /// The folders in `objects/` that are durable for sure: what another process has just made may
    /// not be.
    durable_shards: Mutex<BTreeSet<PathBuf>>,
    known_whole: KnownWhole,
    known_places: KnownPlaces,
    /// What was found whole and is not kept yet.
    proofs: Mutex<Vec<NewProof>>,
    warning: Option<String>,
}

impl DiskStore {
    /// Whether there is a store in `folder`: opening it then makes nothing.
    pub fn is_in(folder: impl AsRef<Path>) -> bool {
        Place::is_in(folder.as_ref())
    }

    /// Opens the store in `folder`; makes one if the folder is empty or absent. Removes what
    /// processes that died left in `tmp/`.
    pub fn open(folder: impl AsRef<Path>) -> Result<DiskStore, Error> {
        let place = Place::open(folder.as_ref())?;
        match DiskStore::open_place(&place) {
            // So that at least a collection can be started.
            Err(Error::DiskFull { .. }) => gc::reserve::release_half(&place),
            opened => return opened,
        }
        DiskStore::open_place(&place)
    }

    fn open_place(place: &Place) -> Result<DiskStore, Error> {
        scratch::sweep(place)?;
        Ok(DiskStore {
            // Before the index is opened: who rebuilds it must see that somebody uses it.
            leases: Leases::join(place)?,
            index: Index::open(&place.index())?,
            scratch: Mutex::new(None),
            durable_shards: Mutex::default(),
            known_whole: KnownWhole::default(),
            known_places: KnownPlaces::default(),
            proofs: Mutex::default(),
            warning: place.warning(),
            place: place.clone(),
        })
    }

    /// The folder the store is in.
    pub fn folder(&self) -> &Path {
        self.place.folder()
    }

    /// What the user should know about the place, such as that it is on a network file system.
    pub fn warning(&self) -> Option<String> {
        self.warning.clone()
    }

    fn located(&self, digest: &Digest, kind: Kind) -> Result<Option<Located>, Error> {
        self.leases.hold(&[*digest])?;
        Ok(shelf::locate_one(self, digest)?.filter(|located| located.kind == kind))
    }

    /// Where `digest` lies, if its file is there too. A lost file is stored again, not trusted.
    fn present(&self, digest: &Digest) -> Result<Option<Located>, Error> {
        self.leases.hold(&[*digest])?;
        Ok(self.locate_here(&[*digest])?.remove(digest))
    }

    /// A folder in `tmp/` for one batch.
    fn scratch_folder(&self) -> Result<ScratchFolder, Error> {
        let mut scratch = self.scratch.lock().expect("no holder of this lock panics");
        match &*scratch {
            Some(scratch) => scratch.folder(),
            None => scratch.insert(Scratch::join(&self.place)?).folder(),
        }
    }

    /// Keeps `proofs` until this handle is dropped, and then in the index.
    fn keep_proofs(&self, proofs: Vec<NewProof>) {
        self.proofs.lock().expect("no holder of this lock panics").extend(proofs);
    }

    fn part_table(&self, digest: &Digest) -> Result<Vec<Part>, Error> {
        let located = self.located(digest, Kind::PartTable)?.ok_or(Error::Missing(*digest))?;
        let bytes = shelf::load(self, digest, &located)?;
        let decoded = part_table::decode(&bytes);
        let (_, parts) =
            decoded.map_err(|cause| shelf::undecodable(self, digest, &located, &cause))?;
        Ok(parts)
    }
}

impl Drop for DiskStore {
    fn drop(&mut self) {
        let proofs = self.proofs.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner());
        if !proofs.is_empty() {
            self.index.keep_proofs(proofs);
        }
    }
}

impl Shelf for DiskStore {
    fn locate(&self, digests: &[Digest]) -> Result<HashMap<Digest, Located>, Error> {
        let found = locate::locate(self, digests)?;
        Ok(found.into_iter().map(|(digest, candidate)| (digest, candidate.located)).collect())
    }

    fn locate_here(&self, digests: &[Digest]) -> Result<HashMap<Digest, Located>, Error> {
        let found = locate::locate(self, digests)?;
        let here = found.into_iter().filter(|(_, candidate)| candidate.is_here);
        Ok(here.map(|(digest, candidate)| (digest, candidate.located)).collect())
    }

    fn source(&self, container: Container) -> Result<Source, Error> {
        Ok(Source::File(match container {
            Container::Object(kind, digest) => self.place.object(kind, &digest),
            Container::Pack(number) => match self.index.pack_id(number)? {
                Some(id) => self.place.pack(&id),
                // Where no file is: one that was collected.
                None => self.place.packs().join(number.to_string()),
            },
        }))
    }
}

impl Store for DiskStore {
    fn find(&self, digest: &Digest) -> Result<Option<Content>, Error> {
        Ok(self.present(digest)?.and_then(|located| located.content(*digest)))
    }

    fn find_many(&self, digests: &[Digest]) -> Result<Vec<Option<Content>>, Error> {
        self.leases.hold(digests)?;
        let located = self.locate_here(digests)?;
        let content = |digest: &Digest| located.get(digest)?.content(*digest);
        Ok(digests.iter().map(content).collect())
    }

    fn open(&self, digest: &Digest) -> Result<Reader, Error> {
        self.leases.hold(&[*digest])?;
        resolve(self, digest).map(Reader::new)
    }

    fn open_at(&self, digest: &Digest) -> Result<RandomReader, Error> {
        self.leases.hold(&[*digest])?;
        resolve(self, digest).map(RandomReader::new)
    }

    fn recipe(&self, digest: &Digest) -> Result<Option<Recipe>, Error> {
        let located = self.located(digest, Kind::Recipe)?;
        located.map(|located| shelf::load_recipe(self, digest, &located)).transpose()
    }

    fn are_recipes(&self, digests: &[Digest]) -> Result<Vec<bool>, Error> {
        self.leases.hold(digests)?;
        let located = self.locate(digests)?;
        let is_recipe = |digest| located.get(digest).is_some_and(|it| it.kind == Kind::Recipe);
        Ok(digests.iter().map(is_recipe).collect())
    }

    /// The index has each part too, but of equal parts of one container only the first: it answers
    /// for a table that is lost or damaged.
    fn parts(&self, container: &Digest) -> Result<Vec<Part>, Error> {
        self.leases.hold(&[*container])?;
        let mut parts = Vec::new();
        for table in self.index.part_tables(container)? {
            match self.part_table(&table) {
                Ok(listed) => parts.extend(listed),
                Err(error @ (Error::Corrupt { .. } | Error::Missing(_))) => {
                    tracing::warn!(%container, %error, "taking its parts from the index");
                    parts.extend(self.index.parts_of(container)?);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(part_table::sorted(&parts))
    }

    fn directory(&self, digest: &Digest) -> Result<Directory, Error> {
        let located = self.located(digest, Kind::Directory)?.ok_or(Error::Missing(*digest))?;
        shelf::load_directory(self, digest, &located)
    }

    fn directories(&self, digests: &[Digest]) -> Result<Vec<Directory>, Error> {
        self.leases.hold(digests)?;
        let located = self.locate(digests)?;
        shelf::load_directories(self, digests, &located)
    }

    fn realisation(&self, id: &DerivationId) -> Result<Option<Output>, Error> {
        Ok(realisations::realisations(self, &[*id])?.remove(0))
    }

    fn realisations(&self, ids: &[DerivationId]) -> Result<Vec<Option<Output>>, Error> {
        realisations::realisations(self, ids)
    }

    fn recorded(&self, ids: &[DerivationId]) -> Result<Vec<Option<Output>>, Error> {
        let known = self.index.realisations(ids)?;
        Ok(ids.iter().map(|id| known.get(id).map(|(output, _)| *output)).collect())
    }

    fn try_lock_derivation(&self, id: &DerivationId) -> Result<Option<DerivationLock<'_>>, Error> {
        Ok(derivation_lock::try_lock(&self.place, id)?.map(DerivationLock::new))
    }

    fn conflicts(&self) -> Result<Vec<Conflict>, Error> {
        self.index.conflicts()
    }

    fn is_whole(&self, output: &Output) -> Result<bool, Error> {
        Ok(realisations::are_whole(self, &[*output])?[0])
    }

    fn are_whole(&self, outputs: &[Output]) -> Result<Vec<bool>, Error> {
        realisations::are_whole(self, outputs)
    }

    fn memo(&self, table: &str, key: &Digest) -> Result<Option<Vec<u8>>, Error> {
        self.index.memo(table, key)
    }

    fn memos(&self, table: &str, keys: &[Digest]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        self.index.memos(table, keys)
    }

    fn batch(&self) -> Result<Box<dyn Batch + '_>, Error> {
        Ok(Box::new(DiskBatch::new(self)))
    }

    fn root(&self, name: &str) -> Result<Option<Root>, Error> {
        self.index.root(name)
    }

    fn roots(&self) -> Result<Vec<Root>, Error> {
        self.index.roots()
    }

    fn set_root(&self, root: &Root) -> Result<(), Error> {
        self.leases.hold(&[root.output.digest()])?;
        self.index.set_root(root)
    }

    fn touch_root(&self, name: &str) {
        if let Err(error) = self.index.touch_root(name) {
            tracing::debug!(name, %error, "its last use is not kept");
        }
    }

    fn remove_root(&self, name: &str) -> Result<(), Error> {
        self.index.remove_root(name)
    }

    fn verify(&self, progress: &mut dyn FnMut(u64, u64) -> bool) -> Result<Vec<Problem>, Error> {
        Ok(self.scrub(&ScrubOptions::default(), progress)?.problems)
    }

    fn unfinished(&self) -> Result<PathBuf, Error> {
        self.place.unfinished()
    }

    fn secret_key(&self) -> Result<[u8; 32], Error> {
        self.place.secret_key()
    }
}
