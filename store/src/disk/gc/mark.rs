//! `Marks`: what is reached from roots and leases, in memory.

use std::collections::{HashMap, HashSet};

use crate::disk::DiskStore;
use crate::disk::index::{PackRow, Snapshot};
use crate::disk::stored_file::StoredFile;
use crate::require;
use crate::shelf::{Container, Encodings, Kind, Shelf};
use crate::{Digest, Error};

/// Asked between steps whether to go on.
pub(super) type GoOn<'a> = &'a mut dyn FnMut() -> bool;

/// How firmly something is reached. Held things, in use by a living process, are not even moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::disk) enum Reached {
    Not,
    Live,
    Held,
}

#[derive(Clone)]
pub(in crate::disk) struct Marks<'a> {
    store: &'a DiskStore,
    pub(super) snapshot: &'a Snapshot,
    objects: Vec<Reached>,
    /// Objects whose files are gone, or end before them.
    lost: HashSet<usize>,
    /// Those that are no objects, but lie in one.
    pub(super) parts: HashMap<Digest, Reached>,
    /// What came after the snapshot and was followed.
    beyond: HashSet<Digest>,
    /// What the reached things take, each counted once.
    pub(super) live_bytes: u64,
}

impl<'a> Marks<'a> {
    pub(in crate::disk) fn new(store: &'a DiskStore, snapshot: &'a Snapshot) -> Self {
        Marks {
            store,
            snapshot,
            objects: vec![Reached::Not; snapshot.digests.len()],
            lost: HashSet::new(),
            parts: HashMap::new(),
            beyond: HashSet::new(),
            live_bytes: 0,
        }
    }

    /// Tells which files there are: what lies in others counts as absent.
    pub(super) fn find_lost(&mut self, files: &[(StoredFile, u64)]) {
        let lengths: HashMap<StoredFile, u64> = files.iter().copied().collect();
        let snapshot = self.snapshot;
        let pack = |(number, pack): (&i64, &PackRow)| {
            Some((*number, *lengths.get(&StoredFile::Pack(pack.id))?))
        };
        let packs: HashMap<i64, u64> = snapshot.packs.iter().filter_map(pack).collect();
        let is_lost = |object: &usize| {
            let located = snapshot.located(*object);
            let length_bytes = match located.container {
                Container::Object(kind, digest) => {
                    lengths.get(&StoredFile::Object(kind, digest)).copied()
                }
                Container::Pack(number) => packs.get(&number).copied(),
            };
            length_bytes.is_none_or(|it| it < located.offset_bytes + located.stored_bytes)
        };
        self.lost = (0..snapshot.digests.len()).filter(is_lost).collect();
    }

    pub(super) fn is_lost(&self, object: usize) -> bool {
        !self.lost.is_empty() && self.lost.contains(&object)
    }

    pub(in crate::disk) fn object(&self, object: usize) -> Reached {
        self.objects[object]
    }

    pub(super) fn is_live(&self, digest: &Digest) -> bool {
        match self.snapshot.object(digest) {
            Some(object) => self.objects[object] != Reached::Not,
            None => self.parts.contains_key(digest) || self.beyond.contains(digest),
        }
    }

    pub(super) fn is_held(&self, digest: &Digest) -> bool {
        match self.snapshot.object(digest) {
            Some(object) => self.objects[object] == Reached::Held,
            None => self.parts.get(digest) == Some(&Reached::Held) || self.beyond.contains(digest),
        }
    }

    /// Marks `digests` and all they need.
    pub(in crate::disk) fn reach(
        &mut self,
        digests: impl IntoIterator<Item = Digest>,
        firmness: Reached,
        go_on: GoOn<'_>,
    ) -> Result<(), Error> {
        let mut wanted: Vec<Digest> = digests.into_iter().collect();
        while !wanted.is_empty() {
            if !go_on() {
                return Err(Error::Cancelled);
            }
            let mut encodings = Vec::new();
            let mut next = Vec::new();
            for digest in wanted {
                let object = self.snapshot.object(&digest);
                if let Some(object) = object {
                    self.reach_object(object, firmness, &mut encodings);
                }
                if object.is_none_or(|object| self.is_lost(object)) {
                    self.reach_other(digest, firmness, &mut next)?;
                }
            }
            self.read(encodings, &mut next)?;
            wanted = next;
        }
        Ok(())
    }

    fn reach_object(&mut self, object: usize, firmness: Reached, encodings: &mut Vec<usize>) {
        let mark = &mut self.objects[object];
        if *mark >= firmness {
            return;
        }
        if *mark == Reached::Not {
            self.live_bytes += self.snapshot.stored_bytes(object);
        }
        *mark = firmness;
        let is_encoding = matches!(self.snapshot.kind(object), Kind::Recipe | Kind::Directory);
        if is_encoding && !self.is_lost(object) {
            encodings.push(object);
        }
    }

    /// A part, or something that came after the snapshot.
    fn reach_other(
        &mut self,
        digest: Digest,
        firmness: Reached,
        next: &mut Vec<Digest>,
    ) -> Result<(), Error> {
        if let Some(part) = self.snapshot.parts_named(&digest).first() {
            let mark = self.parts.entry(digest).or_insert(Reached::Not);
            if *mark == Reached::Not {
                self.live_bytes += part.size_bytes;
            }
            *mark = firmness.max(*mark);
            return Ok(());
        }
        if self.beyond.insert(digest)
            && let Some(located) = self.store.locate_here(&[digest])?.remove(&digest)
        {
            let needs = require::of_stored(self.store, &digest, &located)?;
            next.extend(require::digests(&needs));
            next.extend(self.store.index.containers_of(&digest)?);
        }
        Ok(())
    }

    /// Reads recipes and directories, in the order they lie on disk, for what they name.
    fn read(&self, mut encodings: Vec<usize>, next: &mut Vec<Digest>) -> Result<(), Error> {
        encodings.sort_unstable_by_key(|object| {
            let located = self.snapshot.located(*object);
            (self.snapshot.pack(*object), located.offset_bytes, *object)
        });
        let mut reading = Encodings::new(self.store);
        for object in encodings {
            let digest = self.snapshot.digests[object];
            // Damage stops the collector, which would take what the damaged thing needs.
            let needs = reading.needs(&digest, &self.snapshot.located(object))?;
            next.extend(require::digests(&needs));
        }
        Ok(())
    }
}
