//! Looking up realisations, and whether outputs are whole, thousands at once.

use std::collections::HashSet;

use super::DiskStore;
use super::proof::{Proof, Stamps, Subject};
use crate::whole::whole;
use crate::{DerivationId, Digest, Error, Output};

/// What each of `ids` was realised to and is still whole. One read of the index, one write of
/// leases, one look at each file; only what has no proof that holds is searched.
pub(super) fn realisations(
    store: &DiskStore,
    ids: &[DerivationId],
) -> Result<Vec<Option<Output>>, Error> {
    let known = store.index.realisations(ids)?;
    let subject = |(id, (output, proof)): (&DerivationId, &(Output, Option<Proof>))| {
        (Subject::Realisation(*id, *output), proof.clone())
    };
    let whole = whole_subjects(store, known.iter().map(subject).collect())?;
    let is_whole = |id: &DerivationId, output: &Output| {
        whole.contains(&Subject::Realisation(*id, *output)).then_some(*output)
    };
    Ok(ids.iter().map(|id| is_whole(id, &known.get(id)?.0)).collect())
}

/// Whether each of `outputs` is whole, at the same price.
pub(super) fn are_whole(store: &DiskStore, outputs: &[Output]) -> Result<Vec<bool>, Error> {
    let proofs = store.index.proofs(outputs)?;
    let distinct: HashSet<Output> = outputs.iter().copied().collect();
    let subject = |output: Output| (Subject::Output(output), proofs.get(&output).cloned());
    let whole = whole_subjects(store, distinct.into_iter().map(subject).collect())?;
    Ok(outputs.iter().map(|output| whole.contains(&Subject::Output(*output))).collect())
}

/// Those of `subjects` that are whole, given the proofs they had.
fn whole_subjects(
    store: &DiskStore,
    subjects: Vec<(Subject, Option<Proof>)>,
) -> Result<HashSet<Subject>, Error> {
    let digests: Vec<Digest> =
        subjects.iter().map(|(subject, _)| subject.output().digest()).collect();
    store.leases.hold(&digests)?;
    // After the leases: what is removed from here on is not what they name.
    let generation = store.index.generation()?;
    let mut stamps = Stamps::look(store, subjects.iter().filter_map(|(_, proof)| proof.as_ref()));
    let (mut found, mut rest) = (HashSet::with_capacity(subjects.len()), Vec::new());
    for (subject, proof) in subjects {
        match proof.is_some_and(|proof| stamps.confirm(&proof, generation)) {
            true => drop(found.insert(subject)),
            false => rest.push(subject),
        }
    }
    let outputs: Vec<Output> = rest.iter().map(Subject::output).collect();
    let searched = whole(store, &outputs, &store.known_whole)?;
    let mut proofs = Vec::new();
    for (subject, containers) in rest.into_iter().zip(searched) {
        let Some(containers) = containers else { continue };
        found.insert(subject);
        let proof = stamps.prove(store, &containers, generation)?;
        proofs.extend(proof.map(|proof| (subject, proof)));
    }
    store.keep_proofs(proofs);
    Ok(found)
}
