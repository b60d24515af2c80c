//! The reasons of one step: what it is made of now beside what it was made of last.

use std::time::Duration;

use mediabuild_store::{DerivationId, Output, Store};

use super::{RebuildReason, compare};
use crate::derivation::{Derivation, Fields};
use crate::failure::Failure;
use crate::history::{self, History};
use crate::plan::Plan;

/// A guess at what an import reads, hashes and stores: 400 MB/s, by our own benchmark on two cores.
/// Only orders jobs and fills `plan`'s estimate.
const BYTES_PER_MS: u64 = 400_000;

/// A plan beside what is remembered of its last build.
#[derive(Clone, Copy)]
pub(crate) struct Past<'a> {
    pub(crate) plan: &'a Plan,
    /// A lasting name for each step.
    pub(crate) keys: &'a [String],
    pub(crate) store: &'a dyn Store,
    pub(crate) history: &'a History,
}

impl Past<'_> {
    /// Why the step at `at`, made of `fields`, is not what it was. `found` is what an import has
    /// found. No reason means that nothing differs.
    pub(crate) fn reasons(
        &self,
        at: usize,
        fields: &Fields,
        found: Option<&Output>,
    ) -> Result<Vec<RebuildReason>, Failure> {
        let Some(last) = self.history.last(&self.keys[at]) else {
            return Ok(vec![RebuildReason::NeverBuilt]);
        };
        let Some(old) = history::fields(self.store, &last)? else {
            return Ok(vec![RebuildReason::RecordLost]);
        };
        let derivation = &self.plan.derivations[at];
        let log = history::log(self.store, &last)?.unwrap_or_default();
        let old_steps: Vec<&str> = log.inputs.iter().map(String::as_str).collect();
        let steps: Vec<&str> = self.input_steps(at).collect();
        let mut reasons = compare::fields((&old, &old_steps), (fields, &steps));
        if let Some(found) = found
            && old.found != fields.found
        {
            reasons.extend(self.files(derivation, &last, found)?);
        }
        Ok(reasons)
    }

    /// How long the step at `at` may take: as long as last time, else by the bytes it reads.
    pub(crate) fn estimate(&self, at: usize) -> Result<Duration, Failure> {
        let last = self.history.last(&self.keys[at]);
        let log = last.map(|id| history::log(self.store, &id)).transpose()?.flatten();
        if let Some(log) = log {
            return Ok(Duration::from_millis(log.took_ms));
        }
        let bytes = self.plan.derivations[at].builder.total_bytes().unwrap_or(0);
        Ok(Duration::from_millis(1 + bytes / BYTES_PER_MS))
    }

    /// How the files of an import differ from those of its last build.
    fn files(
        &self,
        derivation: &Derivation,
        last: &DerivationId,
        found: &Output,
    ) -> Result<Vec<RebuildReason>, Failure> {
        let name = derivation.builder.reads().unwrap_or(&derivation.label);
        // Only its directories are read, so whether all its files are here is not asked.
        Ok(match self.store.recorded(&[*last])?.remove(0) {
            Some(old) => compare::files(self.store, name, &old, found),
            None => vec![RebuildReason::ContentChanged],
        })
    }

    /// The steps that fill the roles of the step at `at`, in the order of its inputs.
    pub(crate) fn input_steps(&self, at: usize) -> impl Iterator<Item = &str> {
        let inputs = self.plan.derivations[at].inputs.iter();
        inputs.map(|input| self.keys[input.from.0].as_str())
    }
}
