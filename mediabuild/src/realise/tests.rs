//! Realising with builders made for it: one that is not pure, and one that counts.

use std::sync::atomic::{AtomicU32, Ordering};

use mediabuild_store::{MemoryStore, Output, Store};
use serde_json::{Value, json};

use super::{How, Realised, Realiser};
use crate::builders::sha1::Sha1Wanted;
use crate::builders::{BuildContext, Builder, BuilderVersion};
use crate::cli::Format;
use crate::derivation::{Derivation, Inputs, keys};
use crate::failure::Failure;
use crate::history::History;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::reason::Past;

/// Gives the number of its runs, or always the same.
struct Counter {
    runs: AtomicU32,
    pure: bool,
}

impl Builder for Counter {
    fn builder(&self) -> BuilderVersion {
        BuilderVersion { name: "counter", version: 1 }
    }

    fn options(&self) -> Value {
        json!({})
    }

    fn build(&self, _: &Inputs, context: &BuildContext<'_>) -> Result<Output, Failure> {
        let run = self.runs.fetch_add(1, Ordering::Relaxed);
        let text = if self.pure { "same".into() } else { format!("run {run}") };
        context.put_bytes(text.as_bytes()).map(Output::Content)
    }
}

fn realise(store: &MemoryStore, pure: bool, check: bool) -> Result<Realised, Failure> {
    let builder = Box::new(Counter { runs: AtomicU32::new(0), pure });
    let derivation =
        Derivation { label: "counter".into(), builder, inputs: Vec::new(), sha1: Sha1Wanted::No };
    let plan = Plan { derivations: vec![derivation], targets: Vec::new() };
    let keys = keys(&plan.derivations);
    let history = History::load(store, std::path::Path::new("/project"))?;
    let past = Past { plan: &plan, keys: &keys, store, history: &history };
    let progress = Progress::new(Format::Text);
    Realiser { past, progress: &progress, check, paranoid: false }.realise(0, &[])
}

#[test]
fn what_is_known_is_not_built_again() {
    let store = MemoryStore::default();
    assert_eq!(realise(&store, true, false).expect("built").how, How::Built);
    assert_eq!(realise(&store, true, false).expect("known").how, How::Known);
}

#[test]
fn two_outputs_of_one_identity_are_a_failure_and_the_first_stays() {
    let store = MemoryStore::default();
    let failure = realise(&store, false, true).expect_err("it is not pure");
    assert!(failure.to_string().contains("made twice, with two different outputs"), "{failure}");
    let kept = realise(&store, false, false).expect("known");
    assert_eq!(kept.how, How::Known);
    let mut first = String::new();
    let mut reader = store.open(&kept.output.digest()).expect("there");
    std::io::Read::read_to_string(&mut reader, &mut first).expect("readable");
    assert_eq!(first, "run 0");
    assert_eq!(store.conflicts().expect("told").len(), 1, "the conflict is remembered");
}

#[test]
fn a_pure_builder_passes_the_check() {
    let store = MemoryStore::default();
    assert_eq!(realise(&store, true, true).expect("equal").how, How::Built);
    assert_eq!(realise(&store, true, true).expect("equal").how, How::Known);
    assert!(store.conflicts().expect("told").is_empty());
}
