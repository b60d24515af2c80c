//! What no root names and still stays: what was stored lately, as far as there is room.

use std::collections::{HashMap, HashSet};
use std::time::UNIX_EPOCH;

use super::GcOptions;
use super::mark::{GoOn, Marks, Reached};
use super::plan::{Movable, plan};
use crate::disk::DiskStore;
use crate::disk::stored_file::StoredFile;
use crate::shelf::Container;
use crate::{Digest, Error};

/// Marks what `options` let stay. The youngest file comes first, with all that its contents need;
/// the first one that is too much ends it.
pub(super) fn reach_recent(
    store: &DiskStore,
    marks: &mut Marks<'_>,
    options: &GcOptions,
    go_on: GoOn<'_>,
) -> Result<(), Error> {
    if options.keep_since.is_none() && options.max_bytes.is_none() {
        return Ok(());
    }
    for (seconds, objects) in by_age(store, marks) {
        let size_bytes: u64 = objects.iter().map(|it| marks.snapshot.stored_bytes(*it)).sum();
        let is_old = options.keep_since.is_some_and(|since| seconds < since);
        let is_much = options.max_bytes.is_some_and(|max| marks.live_bytes + size_bytes > max);
        if is_old || is_much {
            break;
        }
        let digests: Vec<Digest> = objects.iter().map(|it| marks.snapshot.digests[*it]).collect();
        marks.reach(digests, Reached::Live, go_on)?;
    }
    Ok(())
}

/// The objects that would go, by the file they lie in, the youngest file first.
fn by_age(store: &DiskStore, marks: &Marks<'_>) -> Vec<(i64, Vec<usize>)> {
    let stays = plan(marks, &Movable::Only(HashSet::new())).stays;
    let mut files: HashMap<Container, Vec<usize>> = HashMap::new();
    for object in (0..stays.len()).filter(|object| !stays[*object]) {
        files.entry(marks.snapshot.located(object).container).or_default().push(object);
    }
    let mut files: Vec<(i64, Vec<usize>)> = files
        .into_iter()
        .filter_map(|(container, objects)| Some((stored_at(store, marks, container)?, objects)))
        .collect();
    files.sort_unstable_by_key(|(seconds, objects)| (std::cmp::Reverse(*seconds), objects[0]));
    files
}

/// When a file was written, in seconds; `None` if it is not there.
fn stored_at(store: &DiskStore, marks: &Marks<'_>, container: Container) -> Option<i64> {
    let file = match container {
        Container::Pack(number) => StoredFile::Pack(marks.snapshot.packs.get(&number)?.id),
        Container::Object(kind, digest) => StoredFile::Object(kind, digest),
    };
    let modified = file.path(&store.place).metadata().ok()?.modified().ok()?;
    let since = modified.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Some(since.try_into().unwrap_or(i64::MAX))
}
