//! `Shelves`: everything a memory store holds, or a batch of one has collected.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use crate::shelf::{Container, Kind, Located};
use crate::{Conflict, DerivationId, Digest, Error, Output, Part, Problem, Root, part_table};

#[derive(Default)]
pub(super) struct Shelves {
    objects: BTreeMap<Digest, Object>,
    parts: BTreeMap<Digest, Vec<Part>>,
    /// Where each part lies, by its digest.
    containers: BTreeMap<Digest, (Digest, Part)>,
    realisations: BTreeMap<DerivationId, Output>,
    conflicts: BTreeSet<Conflict>,
    memos: BTreeMap<(String, Digest), Vec<u8>>,
    roots: BTreeMap<String, Root>,
}

struct Object {
    kind: Kind,
    size_bytes: u64,
    bytes: Arc<[u8]>,
}

impl Shelves {
    pub(super) fn locate(&self, digest: &Digest) -> Option<Located> {
        if let Some(object) = self.objects.get(digest) {
            return Some(object.located(*digest));
        }
        let (container, part) = self.containers.get(digest)?;
        Some(self.locate(container)?.part(part))
    }

    pub(super) fn bytes(&self, digest: &Digest) -> Option<Arc<[u8]>> {
        Some(Arc::clone(&self.objects.get(digest)?.bytes))
    }

    pub(super) fn parts(&self, container: &Digest) -> Vec<Part> {
        self.parts.get(container).cloned().unwrap_or_default()
    }

    pub(super) fn realisation(&self, id: &DerivationId) -> Option<Output> {
        self.realisations.get(id).copied()
    }

    pub(super) fn conflicts(&self) -> Vec<Conflict> {
        self.conflicts.iter().copied().collect()
    }

    pub(super) fn add_conflict(&mut self, id: DerivationId, first: Output, second: Output) {
        self.conflicts.insert(Conflict { id, first, second });
    }

    pub(super) fn memo(&self, table: &str, key: &Digest) -> Option<Vec<u8>> {
        self.memos.get(&(table.to_owned(), *key)).cloned()
    }

    pub(super) fn root(&self, name: &str) -> Option<Root> {
        self.roots.get(name).cloned()
    }

    pub(super) fn roots(&self) -> Vec<Root> {
        self.roots.values().cloned().collect()
    }

    pub(super) fn add(&mut self, digest: Digest, kind: Kind, size_bytes: u64, bytes: Vec<u8>) {
        self.objects.insert(digest, Object { kind, size_bytes, bytes: bytes.into() });
    }

    pub(super) fn add_parts(&mut self, container: &Digest, parts: &[Part]) {
        for part in parts {
            self.containers.entry(part.digest).or_insert((*container, *part));
        }
        let all = self.parts.entry(*container).or_default();
        all.extend_from_slice(parts);
        *all = part_table::sorted(all);
    }

    pub(super) fn set_memo(&mut self, table: &str, key: &Digest, value: &[u8]) {
        self.memos.insert((table.to_owned(), *key), value.to_vec());
    }

    pub(super) fn set_realisation(&mut self, id: &DerivationId, output: &Output) {
        self.realisations.insert(*id, *output);
    }

    pub(super) fn set_root(&mut self, root: &Root) {
        self.roots.insert(root.name.clone(), root.clone());
    }

    pub(super) fn remove_root(&mut self, name: &str) {
        self.roots.remove(name);
    }

    /// Takes in all of `batch`, or nothing if a realisation conflicts.
    pub(super) fn absorb(&mut self, batch: Shelves) -> Result<(), Error> {
        for (id, second) in &batch.realisations {
            match self.realisations.get(id) {
                Some(first) if first != second => {
                    let first = *first;
                    self.add_conflict(*id, first, *second);
                    return Err(Error::conflict(*id, first, *second));
                }
                _ => {}
            }
        }
        self.realisations.extend(batch.realisations);
        self.objects.extend(batch.objects);
        self.memos.extend(batch.memos);
        for (container, parts) in batch.parts {
            self.add_parts(&container, &parts);
        }
        Ok(())
    }

    pub(super) fn verify(
        &self,
        progress: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<Vec<Problem>, Error> {
        let all_bytes = self.objects.values().map(|object| object.bytes.len() as u64).sum();
        let mut done_bytes = 0;
        let mut problems = Vec::new();
        for (digest, object) in &self.objects {
            if object.kind.digest_of(&object.bytes) != *digest {
                problems.push(problem(digest));
            }
            for part in self.parts.get(digest).into_iter().flatten() {
                let bytes = &object.bytes[part.offset_bytes as usize..][..part.size_bytes as usize];
                if Digest::of(bytes) != part.digest {
                    problems.push(problem(&part.digest));
                }
            }
            done_bytes += object.bytes.len() as u64;
            if !progress(done_bytes, all_bytes) {
                return Err(Error::Cancelled);
            }
        }
        Ok(problems)
    }
}

impl Object {
    fn located(&self, digest: Digest) -> Located {
        Located {
            kind: self.kind,
            size_bytes: self.size_bytes,
            container: Container::Object(self.kind, digest),
            offset_bytes: 0,
            stored_bytes: self.bytes.len() as u64,
        }
    }
}

fn problem(digest: &Digest) -> Problem {
    let what = "its bytes have another digest".to_owned();
    Problem { digest: *digest, path: Path::new("(memory)").to_owned(), what }
}
