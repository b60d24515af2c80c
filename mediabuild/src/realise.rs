//! Realise: make one derivation's output exist. Known already? Otherwise its builder makes it, and
//! the result is recorded. The only place that calls [`Builder::build`](crate::builders::Builder).

mod second;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mediabuild_store::{DerivationId, DerivationLock, Output, Store};

use crate::builders::BuildContext;
use crate::builders::import_recall::StatCaches;
use crate::cancel;
use crate::derivation::{Derivation, Fields, Inputs, output_name};
use crate::failure::Failure;
use crate::history::{self, Log};
use crate::progress::Progress;
use crate::reason::{Past, RebuildReason};

/// A wait is told of when it lasts longer.
const WAIT_UNTOLD: Duration = Duration::from_millis(500);

/// How an output came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// An input was looked at (and read, unless its files are as they were).
    Imported,
    /// The store knew it.
    Known,
    /// Its builder ran.
    Built,
}

/// An output that exists now.
#[derive(Debug, Clone)]
pub(crate) struct Realised {
    pub(crate) id: DerivationId,
    pub(crate) output: Output,
    pub(crate) how: How,
    /// What was read and written for it.
    pub(crate) bytes: u64,
}

/// All that realising needs, the same for every step of a build.
pub(crate) struct Realiser<'a> {
    pub(crate) past: Past<'a>,
    pub(crate) progress: &'a Progress,
    /// Known outputs are made again and compared.
    pub(crate) check: bool,
    /// Imports read every file.
    pub(crate) paranoid: bool,
}

/// What a builder made, and how that went.
struct Made {
    output: Output,
    bytes: u64,
    took: Duration,
    warnings: Vec<String>,
}

impl Realiser<'_> {
    /// Realises the step at `at`; `outputs` are those of its inputs, in their order.
    pub(crate) fn realise(&self, at: usize, outputs: &[Realised]) -> Result<Realised, Failure> {
        let derivation = &self.past.plan.derivations[at];
        let roles = derivation.inputs.iter().map(|input| input.role.clone());
        let inputs = Inputs::new(roles.zip(outputs.iter().map(|input| input.output)).collect());
        match derivation.builder.is_import() {
            true => self.import(at, derivation, &inputs),
            false => self.derive(at, derivation, &inputs),
        }
    }

    /// One process reads an input; another that wants the same waits, and then has but to look.
    fn import(
        &self,
        at: usize,
        derivation: &Derivation,
        inputs: &Inputs,
    ) -> Result<Realised, Failure> {
        let _lock = self.lock(&self.past.history.lock_id(&self.past.keys[at]), derivation)?;
        let made = self.make(derivation, inputs, self.past.store, "imported")?;
        let fields = Fields::of_import(derivation.builder.as_ref(), &made.output);
        let id = fields.id();
        if self.past.history.last(&self.past.keys[at]) != Some(id)
            || self.past.store.realisation(&id)?.is_none()
        {
            self.record(at, &id, &fields, &made, inputs)?;
        }
        Ok(Realised { id, output: made.output, how: How::Imported, bytes: made.bytes })
    }

    fn derive(
        &self,
        at: usize,
        derivation: &Derivation,
        inputs: &Inputs,
    ) -> Result<Realised, Failure> {
        let fields = Fields::with_inputs(derivation.builder.as_ref(), inputs);
        let id = fields.id();
        let realised = match self.known(&id, derivation)? {
            Some(known) => known,
            None => self.build(at, derivation, inputs, id, &fields)?,
        };
        if self.check {
            self.check(derivation, inputs, &realised)?;
        }
        Ok(realised)
    }

    fn known(
        &self,
        id: &DerivationId,
        derivation: &Derivation,
    ) -> Result<Option<Realised>, Failure> {
        let output = self.past.store.realisation(id)?;
        Ok(output.map(|output| {
            tracing::info!("known {}: {id} → {}", derivation.label, output_name(&output));
            Realised { id: *id, output, how: How::Known, bytes: 0 }
        }))
    }

    /// One process builds; another that wants the same waits, and then finds it known.
    fn build(
        &self,
        at: usize,
        derivation: &Derivation,
        inputs: &Inputs,
        id: DerivationId,
        fields: &Fields,
    ) -> Result<Realised, Failure> {
        let _lock = self.lock(&id, derivation)?;
        if let Some(known) = self.known(&id, derivation)? {
            return Ok(known);
        }
        let made = self.make(derivation, inputs, self.past.store, "built")?;
        self.record(at, &id, fields, &made, inputs)?;
        tracing::info!("built {}: {id} → {}", derivation.label, output_name(&made.output));
        Ok(Realised { id, output: made.output, how: How::Built, bytes: made.bytes })
    }

    /// The right to make `id`; says so when somebody else has it for long. That may be another job
    /// of this build: two packages of one folder are one derivation.
    fn lock(
        &self,
        id: &DerivationId,
        derivation: &Derivation,
    ) -> Result<DerivationLock<'_>, Failure> {
        let (mut told, began) = (false, Instant::now());
        let lock = self.past.store.lock_derivation(id, &mut || {
            if !told && began.elapsed() >= WAIT_UNTOLD {
                told = true;
                let label = &derivation.label;
                self.progress.line(&format!("  waiting for who makes the same: {label}"));
            }
            !cancel::is_cancelled()
        });
        Ok(lock?)
    }

    fn make(
        &self,
        derivation: &Derivation,
        inputs: &Inputs,
        store: &dyn Store,
        outcome: &str,
    ) -> Result<Made, Failure> {
        make(derivation, inputs, store, self.progress, self.paranoid, outcome)
    }

    /// Makes the output known under `id`, with what it was made of and how that went.
    fn record(
        &self,
        at: usize,
        id: &DerivationId,
        fields: &Fields,
        made: &Made,
        inputs: &Inputs,
    ) -> Result<(), Failure> {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let log = Log {
            step: self.past.keys[at].clone(),
            how: if fields.found.is_some() { "imported" } else { "built" }.to_owned(),
            ended_seconds: since_1970.as_secs() as i64,
            took_ms: made.took.as_millis() as u64,
            bytes: made.bytes,
            reasons: self.reasons(at, fields, &made.output)?,
            inputs: self.past.input_steps(at).map(str::to_owned).collect(),
            warnings: made.warnings.clone(),
        };
        let mut batch = self.past.store.batch()?;
        batch.put_realisation(id, &made.output)?;
        batch.put_inputs(id, &inputs.outputs())?;
        history::put(batch.as_mut(), id, &made.output, fields, &log)?;
        Ok(batch.commit()?)
    }

    /// Why the step ran. When nothing differs, its output was lost.
    fn reasons(
        &self,
        at: usize,
        fields: &Fields,
        output: &Output,
    ) -> Result<Vec<RebuildReason>, Failure> {
        let reasons = self.past.reasons(at, fields, Some(output))?;
        Ok(if reasons.is_empty() { vec![RebuildReason::OutputLost] } else { reasons })
    }
}

/// Runs one import by itself, for `mediabuild lock`.
pub(crate) fn import_alone(
    derivation: &Derivation,
    store: &dyn Store,
    progress: &Progress,
) -> Result<Output, Failure> {
    let caches = StatCaches::load(store, [derivation.builder.as_ref()])?;
    if let Some(output) = derivation.builder.recall(&caches)
        && store.is_whole(&output)?
    {
        return Ok(output);
    }
    let made = make(derivation, &Inputs::default(), store, progress, false, "imported")?;
    Ok(made.output)
}

/// Runs the builder.
fn make(
    derivation: &Derivation,
    inputs: &Inputs,
    store: &dyn Store,
    progress: &Progress,
    paranoid: bool,
    outcome: &str,
) -> Result<Made, Failure> {
    let job = progress.job(&derivation.label, derivation.builder.total_bytes());
    let warnings = Mutex::new(Vec::new());
    let warn = |text: &str| {
        progress.warning(&format!("{}: {text}", derivation.label));
        warnings.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned());
    };
    let started = Instant::now();
    let context = BuildContext { store, job: &job, sha1: derivation.sha1, paranoid, warn: &warn };
    let output = derivation
        .builder
        .build(inputs, &context)
        .map_err(|failure| failure.while_doing(derivation.label.clone()))?;
    let bytes = job.finish(outcome, !derivation.builder.is_import());
    let warnings = warnings.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Made { output, bytes, took: started.elapsed(), warnings })
}
