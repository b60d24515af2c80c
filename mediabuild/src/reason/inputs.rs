//! What two builds of one step took, compared. A role with a number, such as `overlay/1`, is a place
//! in a list: there, things are told apart by the steps that made them.

use std::collections::BTreeMap;

use super::RebuildReason;
use crate::derivation::InputField;

/// One thing that a step took.
pub(super) struct Taken<'a> {
    role: &'a str,
    /// Who made it, if that was recorded.
    step: Option<&'a str>,
    output: Option<&'a str>,
}

/// What tells a thing apart from the others that a step takes.
type Place<'a> = (&'a str, Option<&'a str>);

/// The inputs of a build with the steps that filled them; steps that do not fit are not known.
pub(super) fn taken<'a>(inputs: &'a [InputField], steps: &[&'a str]) -> Vec<Taken<'a>> {
    let known = steps.len() == inputs.len();
    let step = |at: usize| known.then(|| steps[at]);
    let taken = |(at, input): (usize, &'a InputField)| Taken {
        role: &input.role,
        step: step(at),
        output: input.output.as_deref(),
    };
    inputs.iter().enumerate().map(taken).collect()
}

/// Adds what differs to `reasons`.
pub(super) fn compare(old: &[Taken<'_>], new: &[Taken<'_>], reasons: &mut Vec<RebuildReason>) {
    let before = reasons.len();
    let with_steps = old.iter().all(|taken| taken.step.is_some());
    let (old, new) = (placed(old, with_steps), placed(new, with_steps));
    let old_by_place: BTreeMap<Place<'_>, &Taken<'_>> = old.iter().copied().collect();
    let new_by_place: BTreeMap<Place<'_>, &Taken<'_>> = new.iter().copied().collect();
    for (place, taken) in &new {
        reasons.extend(difference(old_by_place.get(place).copied(), taken));
    }
    for (_, gone) in old.iter().filter(|(place, _)| !new_by_place.contains_key(place)) {
        let step = gone.step.map(str::to_owned);
        reasons.push(RebuildReason::InputRemoved { role: gone.role.to_owned(), step });
    }
    let places = |taken: &[(Place<'_>, &Taken<'_>)]| -> Vec<_> {
        taken.iter().map(|((name, step), _)| (name.to_string(), step.map(str::to_owned))).collect()
    };
    if reasons.len() == before && places(&old) != places(&new) {
        reasons.push(RebuildReason::InputsReordered);
    }
}

fn placed<'a, 't>(taken: &'t [Taken<'a>], with_steps: bool) -> Vec<(Place<'a>, &'t Taken<'a>)> {
    let place = |taken: &Taken<'a>| match taken.role.rsplit_once('/') {
        Some((list, number)) if with_steps && number.bytes().all(|b| b.is_ascii_digit()) => {
            (list, taken.step)
        }
        _ => (taken.role, None),
    };
    taken.iter().map(|taken| (place(taken), taken)).collect()
}

/// How what is taken now differs from what was taken in its place.
fn difference(old: Option<&Taken<'_>>, new: &Taken<'_>) -> Option<RebuildReason> {
    let role = new.role.to_owned();
    let step = new.step.unwrap_or(new.role).to_owned();
    let Some(old) = old else { return Some(RebuildReason::InputAdded { role, step }) };
    if new.output.is_some() && new.output == old.output {
        return None;
    }
    match old.step {
        Some(from) if Some(from) != new.step => {
            Some(RebuildReason::InputReplaced { role, from: from.to_owned(), to: step })
        }
        _ if new.output.is_none() => Some(RebuildReason::InputRuns { role, step }),
        _ => Some(RebuildReason::InputChanged { role, step }),
    }
}
