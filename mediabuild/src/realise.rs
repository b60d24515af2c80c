//! Realise: make one derivation's output exist. Known already? Otherwise its builder makes it, and
//! the result is recorded. The only place that calls [`Builder::build`](crate::builders::Builder).

use mediabuild_store::{Output, Store};

use crate::builders::BuildContext;
use crate::builders::import_recall::StatCaches;
use crate::derivation::{Derivation, Inputs, identity, output_name};
use crate::failure::Failure;
use crate::progress::Progress;

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
    pub(crate) output: Output,
    pub(crate) how: How,
}

/// Realises one derivation; all its inputs are realised. `caches`: what imports gave before;
/// `paranoid`: they read every file all the same.
pub(crate) fn realise(
    derivation: &Derivation,
    inputs: &Inputs,
    store: &dyn Store,
    progress: &Progress,
    caches: &StatCaches,
    paranoid: bool,
) -> Result<Realised, Failure> {
    if derivation.builder.is_import() {
        if let Some(output) = derivation.builder.recall(caches)
            && store.is_whole(&output)?
        {
            return Ok(Realised { output, how: How::Imported });
        }
        let output = build(derivation, inputs, store, progress, paranoid)?;
        return Ok(Realised { output, how: How::Imported });
    }
    let id = identity(derivation.builder.as_ref(), inputs);
    if let Some(output) = store.realisation(&id)? {
        tracing::info!("known {}: {id} → {}", derivation.label, output_name(&output));
        return Ok(Realised { output, how: How::Known });
    }
    let output = build(derivation, inputs, store, progress, paranoid)?;
    let mut batch = store.batch()?;
    batch.put_realisation(&id, &output)?;
    batch.put_inputs(&id, &inputs.outputs())?;
    batch.commit()?;
    tracing::info!("built {}: {id} → {}", derivation.label, output_name(&output));
    Ok(Realised { output, how: How::Built })
}

/// Runs one import by itself, for `mediabuild lock`.
pub(crate) fn import_alone(
    derivation: &Derivation,
    store: &dyn Store,
    progress: &Progress,
) -> Result<Output, Failure> {
    let caches = StatCaches::load(store, [derivation.builder.as_ref()])?;
    let realised = realise(derivation, &Inputs::default(), store, progress, &caches, false)?;
    Ok(realised.output)
}

fn build(
    derivation: &Derivation,
    inputs: &Inputs,
    store: &dyn Store,
    progress: &Progress,
    paranoid: bool,
) -> Result<Output, Failure> {
    let job = progress.job(&derivation.label, derivation.builder.total_bytes());
    let warn = |text: &str| progress.warning(&format!("{}: {text}", derivation.label));
    let context = BuildContext { store, job: &job, paranoid, warn: &warn };
    let output = derivation
        .builder
        .build(inputs, &context)
        .map_err(|failure| failure.while_doing(derivation.label.clone()))?;
    let is_import = derivation.builder.is_import();
    job.finish(if is_import { "imported" } else { "built" }, !is_import);
    Ok(output)
}
