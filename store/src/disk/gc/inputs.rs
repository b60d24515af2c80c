//! What live outputs were made from: without it the next build of an unchanged project would have
//! to import or make it again, only to find that it has the result.

use std::collections::HashMap;

use super::mark::{GoOn, Marks, Reached};
use crate::{Digest, Error};

/// Marks the inputs of what is marked, and theirs, to the imports. Where an output was made twice,
/// from different inputs, those of the last time stay.
pub(super) fn reach_inputs(marks: &mut Marks<'_>, go_on: GoOn<'_>) -> Result<(), Error> {
    let snapshot = marks.snapshot;
    let mut last: HashMap<Digest, usize> = HashMap::new();
    for (at, realisation) in snapshot.realisations.iter().enumerate() {
        let known = last.entry(realisation.output).or_insert(at);
        if snapshot.realisations[*known].made_at < realisation.made_at {
            *known = at;
        }
    }
    let mut rest: Vec<usize> = last.into_values().collect();
    rest.sort_unstable();
    loop {
        let is_live = |at: &mut usize| marks.is_live(&snapshot.realisations[*at].output);
        let live: Vec<usize> = rest.extract_if(.., is_live).collect();
        if live.is_empty() {
            return Ok(());
        }
        let inputs = live.iter().flat_map(|at| &snapshot.realisations[*at].inputs).copied();
        marks.reach(inputs.collect::<Vec<_>>(), Reached::Live, go_on)?;
    }
}
