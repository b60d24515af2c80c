//! What costs nothing to keep: recipes and directories all of whose contents stay anyway.
//!
//! Nothing names the output of a step in the middle of a build once the result is made of its
//! contents. Without it the next build would make it again, though nothing changed. It takes its
//! encoding, which is small beside what it names.

use super::GcOptions;
use super::mark::{GoOn, Marks, Reached};
use super::plan::{Movable, Plan, plan};
use crate::disk::DiskStore;
use crate::require::Need;
use crate::shelf::{Encodings, Kind};
use crate::{Digest, Error};

/// What needs nothing stays up to this size, as long as anything stays.
const NEEDLESS_BYTES_MAX: u64 = 4 << 10;

/// A recipe or directory that nothing reached.
struct Encoding {
    object: usize,
    needs: Vec<Digest>,
}

/// Marks those that can stay. One that is damaged cannot.
pub(super) fn reach_implied(
    store: &DiskStore,
    marks: &mut Marks<'_>,
    options: &GcOptions,
    go_on: GoOn<'_>,
) -> Result<(), Error> {
    let mut rest = unreached(store, marks, go_on)?;
    while !rest.is_empty() {
        let plan = plan(marks, &Movable::Any);
        let stays = |it: &mut Encoding| match it.needs.is_empty() {
            true => is_worth_it(marks, it.object),
            false => it.needs.iter().all(|need| stays(marks, &plan, need)),
        };
        let found: Vec<Encoding> = rest.extract_if(.., stays).collect();
        if found.is_empty() {
            break;
        }
        for Encoding { object, .. } in found {
            let size_bytes = marks.snapshot.stored_bytes(object);
            if options.max_bytes.is_none_or(|max| marks.live_bytes + size_bytes <= max) {
                marks.reach([marks.snapshot.digests[object]], Reached::Live, go_on)?;
            }
        }
    }
    Ok(())
}

fn unreached(
    store: &DiskStore,
    marks: &Marks<'_>,
    go_on: GoOn<'_>,
) -> Result<Vec<Encoding>, Error> {
    let snapshot = marks.snapshot;
    let is_encoding = |object: &usize| {
        matches!(snapshot.kind(*object), Kind::Recipe | Kind::Directory)
            && marks.object(*object) == Reached::Not
            && !marks.is_lost(*object)
    };
    let mut objects: Vec<usize> = (0..snapshot.digests.len()).filter(is_encoding).collect();
    objects.sort_unstable_by_key(|object| {
        (snapshot.pack(*object), snapshot.located(*object).offset_bytes, *object)
    });
    let mut reading = Encodings::new(store);
    let mut encodings = Vec::with_capacity(objects.len());
    for object in objects {
        if !go_on() {
            return Err(Error::Cancelled);
        }
        match reading.needs(&snapshot.digests[object], &snapshot.located(object)) {
            Ok(needs) => {
                encodings.push(Encoding { object, needs: needs.iter().map(Need::digest).collect() })
            }
            Err(Error::Corrupt { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(encodings)
}

/// Whether to keep something that needs nothing, such as an empty directory: nothing says whether
/// anybody still wants it.
fn is_worth_it(marks: &Marks<'_>, object: usize) -> bool {
    marks.live_bytes > 0 && marks.snapshot.stored_bytes(object) <= NEEDLESS_BYTES_MAX
}

/// Whether `digest` is here after a collection by `plan`.
fn stays(marks: &Marks<'_>, plan: &Plan, digest: &Digest) -> bool {
    let snapshot = marks.snapshot;
    match snapshot.object(digest).filter(|object| !marks.is_lost(*object)) {
        Some(object) => plan.stays[object],
        None => {
            let parts = snapshot.parts_named(digest);
            parts.iter().any(|part| plan.containers.contains(&part.container))
        }
    }
}
