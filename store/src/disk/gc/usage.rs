//! `usage`: who takes how much room.

use std::collections::{HashMap, HashSet};

use super::GcOptions;
use super::implied::reach_implied;
use super::inputs::reach_inputs;
use super::mark::{Marks, Reached};
use super::plan::{Movable, plan};
use crate::disk::DiskStore;
use crate::{Digest, Error, Root};

/// What the contents of roots take.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    /// In the order of the roots.
    pub roots: Vec<RootUsage>,
    /// Everything in the store, the index not counted.
    pub all_bytes: u64,
    /// What a collection would free (less what it copies).
    pub dead_bytes: u64,
}

/// What one root's contents take, each counted once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RootUsage {
    pub name: String,
    /// All that the root needs, and what it was made from.
    pub total_bytes: u64,
    /// What would go with the root.
    pub exclusive_bytes: u64,
    /// What other roots need too.
    pub shared_bytes: u64,
}

impl DiskStore {
    /// How much room `roots` take, as it is stored: a recipe takes its encoding, a part its range.
    /// The room of a container is its own only where the container itself is needed.
    pub fn usage(&self, roots: &[Root]) -> Result<Usage, Error> {
        let snapshot = self.index.snapshot()?;
        let mut sizes: HashMap<Digest, u64> = HashMap::new();
        let mut users: HashMap<Digest, usize> = HashMap::new();
        let mut needs = Vec::with_capacity(roots.len());
        for root in roots {
            let mut marks = Marks::new(self, &snapshot);
            marks.reach([root.output.digest()], Reached::Live, &mut || true)?;
            reach_inputs(&mut marks, &mut || true)?;
            let reached = marks.reached();
            for (digest, size_bytes) in &reached {
                sizes.insert(*digest, *size_bytes);
                *users.entry(*digest).or_default() += 1;
            }
            needs.push(reached.into_iter().map(|(digest, _)| digest).collect::<Vec<_>>());
        }
        let usage = |(root, needs): (&Root, &Vec<Digest>)| {
            let bytes =
                |digests: &mut dyn Iterator<Item = &Digest>| digests.map(|it| sizes[it]).sum();
            let total_bytes: u64 = bytes(&mut needs.iter());
            let exclusive_bytes = bytes(&mut needs.iter().filter(|digest| users[*digest] == 1));
            let shared_bytes = total_bytes - exclusive_bytes;
            RootUsage { name: root.name.clone(), total_bytes, exclusive_bytes, shared_bytes }
        };
        let usages = roots.iter().zip(&needs).map(usage).collect();
        let mut marks = Marks::new(self, &snapshot);
        let all = snapshot.roots.iter().map(|row| row.root.output.digest());
        marks.reach(all, Reached::Live, &mut || true)?;
        reach_inputs(&mut marks, &mut || true)?;
        reach_implied(self, &mut marks, &GcOptions::default(), &mut || true)?;
        let forecast = self.forecast(&marks, &plan(&marks, &Movable::Any), &[]);
        let all_bytes = forecast.kept_bytes + forecast.freed_bytes;
        Ok(Usage { roots: usages, all_bytes, dead_bytes: forecast.freed_bytes })
    }
}

impl Marks<'_> {
    /// Everything that is reached, with what it takes. A part of a container that is reached too
    /// takes nothing more.
    fn reached(&self) -> Vec<(Digest, u64)> {
        let snapshot = self.snapshot;
        let objects = (0..snapshot.digests.len()).filter(|it| self.object(*it) != Reached::Not);
        let mut reached: Vec<(Digest, u64)> =
            objects.map(|it| (snapshot.digests[it], snapshot.stored_bytes(it))).collect();
        let whole: HashSet<Digest> = reached.iter().map(|(digest, _)| *digest).collect();
        for part in self.parts.keys() {
            let rows = snapshot.parts_named(part);
            let in_whole = rows.iter().any(|row| {
                snapshot.containers.get(&row.container).is_some_and(|it| whole.contains(it))
            });
            if let Some(row) = rows.first().filter(|_| !in_whole) {
                reached.push((*part, row.size_bytes));
            }
        }
        reached
    }
}
