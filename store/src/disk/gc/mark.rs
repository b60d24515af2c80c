//! `Marks`: what is reached from roots and leases, in memory.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;

use crate::disk::DiskStore;
use crate::disk::index::Snapshot;
use crate::require;
use crate::shelf::{self, Container, Kind, Located, Shelf};
use crate::{Digest, Directory, Error, Recipe, os};

/// Asked between steps whether to go on.
pub(super) type GoOn<'a> = &'a mut dyn FnMut() -> bool;

/// How firmly something is reached. Held things, in use by a living process, are not even moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::disk) enum Reached {
    Not,
    Live,
    Held,
}

pub(in crate::disk) struct Marks<'a> {
    store: &'a DiskStore,
    pub(super) snapshot: &'a Snapshot,
    objects: Vec<Reached>,
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
            parts: HashMap::new(),
            beyond: HashSet::new(),
            live_bytes: 0,
        }
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
                match self.snapshot.object(&digest) {
                    Some(object) => self.reach_object(object, firmness, &mut encodings),
                    None => self.reach_other(digest, firmness, &mut next)?,
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
        if matches!(self.snapshot.kind(object), Kind::Recipe | Kind::Directory) {
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
            && let Some(located) = shelf::locate_one(self.store, &digest)?
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
        let mut reading = Reading { store: self.store, open: None };
        for object in encodings {
            let digest = self.snapshot.digests[object];
            reading.names(&digest, &self.snapshot.located(object), next)?;
        }
        Ok(())
    }
}

/// Reads many encodings of few files: the last one stays open.
struct Reading<'a> {
    store: &'a DiskStore,
    open: Option<(Container, Option<File>)>,
}

impl Reading<'_> {
    /// Adds what `digest` names. A file that is not there names nothing: it counts as absent.
    /// Damage stops the collector, which would take what the damaged thing needs.
    fn names(
        &mut self,
        digest: &Digest,
        located: &Located,
        next: &mut Vec<Digest>,
    ) -> Result<(), Error> {
        let source = self.store.source(located.container)?;
        let path = source.path();
        if self.open.as_ref().is_none_or(|(container, _)| *container != located.container) {
            let file = match File::open(path) {
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => None,
                file => Some(file.map_err(Error::io("open", path))?),
            };
            self.open = Some((located.container, file));
        }
        let Some((_, Some(file))) = &self.open else { return Ok(()) };
        let mut bytes = vec![0; located.stored_bytes as usize];
        os::read_exact_at(file, located.offset_bytes, &mut bytes)
            .map_err(Error::io("read", path))?;
        let damage = |what: &str| Error::corrupt(*digest, path, what);
        if located.kind.digest_of(&bytes) != *digest {
            return Err(damage("its bytes have another digest"));
        }
        let needs = match located.kind {
            Kind::Recipe => Recipe::decode(&bytes).map(|recipe| require::of_recipe(&recipe)),
            _ => Directory::decode(&bytes).map(|directory| require::of_directory(&directory)),
        };
        let needs = needs.map_err(|cause| damage(&cause.to_string()))?;
        next.extend(needs.iter().map(require::Need::digest));
        Ok(())
    }
}
