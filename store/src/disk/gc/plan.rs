//! `Plan`: from marks to what goes, what stays and what moves.
//!
//! A part keeps the container it lies in, unless nothing reaches the container itself and less than
//! half of its bytes are live: then the live parts move to a pack. So do the live members of a pack
//! that is mostly dead, and those of small packs that have become many: each step of a build leaves
//! one, and a build looks at every file that its results lie in. What a living process may be reading never moves.

use std::collections::{HashMap, HashSet};

use super::mark::{Marks, Reached};
use crate::Digest;
use crate::disk::pack;
use crate::shelf::{Kind, Located};

/// How deep containers lie in containers at most; look-ups go no deeper either.
const DEPTH_MAX: usize = 8;

/// Packs smaller than this are joined when there are so many of them.
const SMALL: u64 = 1 << 20;
const SMALL_MANY: usize = 64;

/// What a collection will do.
#[derive(Default)]
pub(super) struct Plan {
    /// Whether each object of the snapshot stays.
    pub(super) stays: Vec<bool>,
    /// Containers, by number, that stay.
    pub(super) containers: HashSet<i64>,
    /// What must be copied elsewhere first.
    pub(super) moves: Vec<Move>,
    /// Packs in use by a living process.
    pub(super) held_packs: HashSet<i64>,
}

/// Something to be copied, so that the file it lies in can go.
pub(super) struct Move {
    pub(super) digest: Digest,
    pub(super) located: Located,
    /// The container, an object, whose part it is.
    pub(super) out_of: Option<usize>,
}

/// Which containers may go though parts of them are live.
pub(super) enum Movable {
    /// Any: nothing was copied yet.
    Any,
    /// Those whose live parts were all copied.
    Only(HashSet<usize>),
}

impl Movable {
    fn allows(&self, object: usize) -> bool {
        match self {
            Movable::Any => true,
            Movable::Only(emptied) => emptied.contains(&object),
        }
    }
}

pub(super) fn plan(marks: &Marks<'_>, movable: &Movable) -> Plan {
    let snapshot = marks.snapshot;
    let reached = |object| marks.object(object) != Reached::Not;
    let mut plan =
        Plan { stays: (0..snapshot.digests.len()).map(reached).collect(), ..Plan::default() };
    settle_parts(marks, movable, &mut plan);
    settle_containers(marks, &mut plan);
    settle_packs(marks, &mut plan);
    plan
}

/// Decides which containers stay for their parts' sake.
fn settle_parts(marks: &Marks<'_>, movable: &Movable, plan: &mut Plan) {
    let snapshot = marks.snapshot;
    // A reader found its part in one of the places; which, nobody knows.
    for (part, _) in marks.parts.iter().filter(|(_, reached)| **reached == Reached::Held) {
        for (object, _) in places(marks, part, 0) {
            plan.stays[object] = true;
            plan.held_packs.extend(snapshot.pack(object));
        }
    }
    let mut carriers: HashMap<usize, Vec<(Digest, Located)>> = HashMap::new();
    for part in marks.parts.keys() {
        let places = places(marks, part, 0);
        if !places.iter().any(|(object, _)| plan.stays[*object])
            && let Some((object, located)) = places.first()
        {
            carriers.entry(*object).or_default().push((*part, *located));
        }
    }
    for (object, mut parts) in carriers {
        let live_bytes: u64 = parts.iter().map(|(_, located)| located.stored_bytes).sum();
        let is_sparse = live_bytes.saturating_mul(2) < snapshot.stored_bytes(object);
        if is_sparse && movable.allows(object) {
            parts.sort_unstable_by_key(|(digest, located)| (located.offset_bytes, *digest));
            plan.moves.extend(parts.into_iter().map(|(digest, located)| Move {
                digest,
                located,
                out_of: Some(object),
            }));
        } else {
            plan.stays[object] = true;
        }
    }
}

/// Part tables stay with their containers.
fn settle_containers(marks: &Marks<'_>, plan: &mut Plan) {
    let snapshot = marks.snapshot;
    for (number, digest) in &snapshot.containers {
        let stays = match snapshot.object(digest) {
            Some(object) => plan.stays[object],
            None => {
                let in_one_that_stays = |(object, _): &(usize, _)| plan.stays[*object];
                marks.parts.contains_key(digest)
                    || places(marks, digest, 0).iter().any(in_one_that_stays)
            }
        };
        if stays {
            plan.containers.insert(*number);
        }
    }
    for (container, table) in &snapshot.part_tables {
        if plan.containers.contains(container)
            && let Some(object) = snapshot.object(table)
        {
            plan.stays[object] = true;
        }
    }
}

/// Finds packs that are mostly dead, or small and many.
fn settle_packs(marks: &Marks<'_>, plan: &mut Plan) {
    let snapshot = marks.snapshot;
    let mut live: HashMap<i64, u64> = HashMap::new();
    for object in 0..snapshot.digests.len() {
        let Some(pack) = snapshot.pack(object) else { continue };
        if marks.object(object) == Reached::Held {
            plan.held_packs.insert(pack);
        }
        if plan.stays[object] {
            *live.entry(pack).or_default() += pack::member_bytes(snapshot.stored_bytes(object));
        }
    }
    let is_small = |pack: &i64| snapshot.packs.get(pack).is_some_and(|it| it.size_bytes < SMALL);
    let small_count = live.keys().filter(|pack| is_small(pack)).count();
    let is_sparse = |(pack, live_bytes): (&i64, &u64)| {
        let row = snapshot.packs.get(pack)?;
        let sparse = live_bytes.saturating_mul(2) < pack::members_bytes(row.size_bytes);
        let one_of_many = small_count >= SMALL_MANY && is_small(pack);
        ((sparse || one_of_many) && !plan.held_packs.contains(pack)).then_some(*pack)
    };
    let sparse: HashSet<i64> = live.iter().filter_map(is_sparse).collect();
    if sparse.is_empty() {
        return;
    }
    for object in 0..snapshot.digests.len() {
        if plan.stays[object] && snapshot.pack(object).is_some_and(|pack| sparse.contains(&pack)) {
            let (digest, located) = (snapshot.digests[object], snapshot.located(object));
            plan.moves.push(Move { digest, located, out_of: None });
        }
    }
    plan.moves.sort_unstable_by_key(|it| (it.located.container, it.located.offset_bytes));
}

/// Every object that `part` lies in, directly or as a part of its parts, and where; not those that
/// are lost.
fn places(marks: &Marks<'_>, part: &Digest, depth: usize) -> Vec<(usize, Located)> {
    let (snapshot, mut places) = (marks.snapshot, Vec::new());
    for row in snapshot.parts_named(part) {
        let Some(container) = snapshot.containers.get(&row.container) else { continue };
        let part = crate::Part {
            digest: row.digest,
            offset_bytes: row.offset_bytes,
            size_bytes: row.size_bytes,
        };
        match snapshot.object(container) {
            Some(object) if marks.is_lost(object) => {}
            Some(object) if snapshot.kind(object) == Kind::Blob => {
                places.push((object, snapshot.located(object).part(&part)));
            }
            None if depth < DEPTH_MAX => {
                let outer = self::places(marks, container, depth + 1);
                places.extend(outer.iter().map(|(object, place)| (*object, place.part(&part))));
            }
            _ => {}
        }
    }
    places
}
