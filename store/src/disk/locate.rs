//! Locating digests: each as an object, else as a part of one, and of all those places the first
//! whose file is still there.

use std::collections::HashMap;

use super::DiskStore;
use crate::shelf::{Container, Kind, Located, Shelf};
use crate::{Digest, Error};

/// How deep containers lie in containers at most: a resource in a WIM in an ISO makes two.
const DEPTH_MAX: usize = 8;

/// A place the index knows, and whether its file still reaches that far.
#[derive(Clone, Copy)]
pub(super) struct Candidate {
    pub(super) located: Located,
    pub(super) is_here: bool,
}

/// The best place of each of `digests`; one that is not here only if there is no better.
pub(super) fn locate(
    store: &DiskStore,
    digests: &[Digest],
) -> Result<HashMap<Digest, Candidate>, Error> {
    Search { store, file_bytes: HashMap::new() }.locate(digests, 0)
}

struct Search<'a> {
    store: &'a DiskStore,
    /// How long each container's file is, `None` if it is gone: each is looked at once a search.
    file_bytes: HashMap<Container, Option<u64>>,
}

impl Search<'_> {
    fn locate(
        &mut self,
        digests: &[Digest],
        depth: usize,
    ) -> Result<HashMap<Digest, Candidate>, Error> {
        let mut found = HashMap::with_capacity(digests.len());
        let unknown = self.locate_known(digests, &mut found)?;
        let since = self.store.known_places.moment();
        let objects = self.store.index.objects_named(&unknown)?;
        for (digest, located) in &objects {
            found.insert(*digest, self.candidate(*located)?);
        }
        self.store.known_places.keep(since, &objects);
        let rest: Vec<Digest> =
            digests.iter().filter(|digest| !is_here(&found, digest)).copied().collect();
        if !rest.is_empty() && depth < DEPTH_MAX {
            self.locate_parts(&rest, depth, &mut found)?;
        }
        Ok(found)
    }

    /// Those of `digests` whose places are remembered and still there; answers the others, in the
    /// order of the index, whose pages are then met once each.
    fn locate_known(
        &mut self,
        digests: &[Digest],
        found: &mut HashMap<Digest, Candidate>,
    ) -> Result<Vec<Digest>, Error> {
        for (digest, located) in self.store.known_places.of(digests) {
            let candidate = self.candidate(located)?;
            if candidate.is_here {
                found.insert(digest, candidate);
            }
        }
        let mut unknown: Vec<Digest> =
            digests.iter().filter(|digest| !found.contains_key(*digest)).copied().collect();
        unknown.sort_unstable();
        Ok(unknown)
    }

    fn locate_parts(
        &mut self,
        digests: &[Digest],
        depth: usize,
        found: &mut HashMap<Digest, Candidate>,
    ) -> Result<(), Error> {
        let parts = self.store.index.parts_named(digests)?;
        let mut containers: Vec<Digest> = parts.iter().map(|(container, _)| *container).collect();
        containers.sort_unstable();
        containers.dedup();
        if containers.is_empty() {
            return Ok(());
        }
        let containers = self.locate(&containers, depth + 1)?;
        for (container, part) in parts {
            let blob = containers.get(&container).filter(|it| it.located.kind == Kind::Blob);
            let Some(blob) = blob.filter(|_| !is_here(found, &part.digest)) else { continue };
            let candidate = self.candidate(blob.located.part(&part))?;
            if candidate.is_here || !found.contains_key(&part.digest) {
                found.insert(part.digest, candidate);
            }
        }
        Ok(())
    }

    fn candidate(&mut self, located: Located) -> Result<Candidate, Error> {
        let end_bytes = located.offset_bytes + located.stored_bytes;
        let file_bytes = self.file_bytes(located.container)?;
        let is_here = file_bytes.is_some_and(|file_bytes| file_bytes >= end_bytes);
        Ok(Candidate { located, is_here })
    }

    fn file_bytes(&mut self, container: Container) -> Result<Option<u64>, Error> {
        if let Some(known) = self.file_bytes.get(&container) {
            return Ok(*known);
        }
        let source = self.store.source(container)?;
        let file_bytes = match source.path().metadata() {
            Ok(metadata) => Some(metadata.len()),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => None,
            Err(cause) => return Err(Error::io("look at", source.path())(cause)),
        };
        self.file_bytes.insert(container, file_bytes);
        Ok(file_bytes)
    }
}

fn is_here(found: &HashMap<Digest, Candidate>, digest: &Digest) -> bool {
    found.get(digest).is_some_and(|candidate| candidate.is_here)
}
