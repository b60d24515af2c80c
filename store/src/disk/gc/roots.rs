//! Which roots count: all, unless somebody asked for a limit. Then those of results go that were
//! not used for so long, or that are too much, the one used last at last.
//!
//! Pins and locks always count: somebody asked for them. So do results that are folders: the next
//! build must know which files in them are its own.

use std::cmp::Reverse;
use std::path::Path;

use super::inputs::reach_inputs;
use super::mark::{GoOn, Marks, Reached};
use super::plan::{Movable, plan};
use super::{GcOptions, kept_bytes};
use crate::disk::index::RootRow;
use crate::{Error, Output};

/// The root of a result is named so, then by its path: with the path the root goes.
const RESULT_PREFIX: &str = "result:";

/// Marks what roots need, and what that was made from. Answers the roots that do not count.
pub(super) fn reach_roots(
    marks: &mut Marks<'_>,
    options: &GcOptions,
    go_on: GoOn<'_>,
) -> Result<Vec<RootRow>, Error> {
    let living = marks.snapshot.roots.iter().filter(|row| !is_gone(row));
    let is_limited = options.keep_since.is_some() || options.max_bytes.is_some();
    let is_optional = |row: &&RootRow| is_limited && is_optional(row);
    let (mut optional, firm): (Vec<&RootRow>, Vec<&RootRow>) = living.partition(is_optional);
    marks.reach(firm.iter().map(|row| row.root.output.digest()), Reached::Live, go_on)?;
    reach_inputs(marks, go_on)?;
    optional.sort_by_key(|row| Reverse(row.used_at));
    let mut rest = optional.into_iter();
    while let Some(row) = rest.next() {
        if !reach_optional(marks, row, options, go_on)? {
            return Ok(std::iter::once(row).chain(rest).cloned().collect());
        }
    }
    Ok(Vec::new())
}

/// Marks what one root needs, if it is young enough and there is room.
fn reach_optional(
    marks: &mut Marks<'_>,
    row: &RootRow,
    options: &GcOptions,
    go_on: GoOn<'_>,
) -> Result<bool, Error> {
    if options.keep_since.is_some_and(|since| row.used_at < since) {
        return Ok(false);
    }
    let mut with = marks.clone();
    with.reach([row.root.output.digest()], Reached::Live, go_on)?;
    reach_inputs(&mut with, go_on)?;
    if let Some(max_bytes) = options.max_bytes
        && kept_bytes(&with, &plan(&with, &Movable::Any)) > max_bytes
    {
        return Ok(false);
    }
    *marks = with;
    Ok(true)
}

/// Whether a root may go though what it names is there.
fn is_optional(row: &RootRow) -> bool {
    row.root.name.starts_with(RESULT_PREFIX) && matches!(row.root.output, Output::Content(_))
}

/// Whether a root is that of a result whose path is gone. One that cannot be looked at is not.
pub(super) fn is_gone(row: &RootRow) -> bool {
    let path = row.root.name.strip_prefix(RESULT_PREFIX).map(Path::new);
    let gone = |path: &Path| path.symlink_metadata().map_err(|cause| cause.kind());
    path.is_some_and(|path| gone(path).is_err_and(|kind| kind == std::io::ErrorKind::NotFound))
}
