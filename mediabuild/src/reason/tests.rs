//! Every reason with the sentence a user reads, each found by comparing, not only rendered.

use mediabuild_store::{Content, DirectoryBuilder, MemoryStore, Output, Store};
use serde_json::{Value, json};

use super::{RebuildReason, compare};
use crate::derivation::{Fields, InputField};

fn made_of(options: Value, inputs: &[(&str, &str)]) -> Fields {
    let input = |(role, output): &(&str, &str)| InputField {
        role: (*role).to_owned(),
        output: Some((*output).to_owned()),
    };
    Fields {
        builder: "prestaged".into(),
        version: 1,
        options,
        inputs: inputs.iter().map(input).collect(),
        found: None,
    }
}

/// What changed from `old` to `new`, in sentences.
fn sentences(old: &Fields, new: &Fields) -> Vec<String> {
    let step_of = |role: &str| format!("the step of {role}");
    compare::fields(old, new, &step_of).iter().map(RebuildReason::sentence).collect()
}

fn option_sentences(old: Value, new: Value) -> Vec<String> {
    sentences(&made_of(old, &[]), &made_of(new, &[]))
}

fn input_sentences(old: &[(&str, &str)], new: &[(&str, &str)]) -> Vec<String> {
    sentences(&made_of(json!({}), old), &made_of(json!({}), new))
}

#[test]
fn equal_fields_give_no_reason() {
    let fields = made_of(json!({ "label": "A" }), &[("base", "1")]);
    assert!(sentences(&fields, &fields).is_empty());
}

#[test]
fn what_was_not_built_lost_or_not_recorded_says_so() {
    let sentence = |reason: RebuildReason| reason.sentence();
    assert_eq!(sentence(RebuildReason::NeverBuilt), "was not built here before");
    assert_eq!(
        sentence(RebuildReason::RecordLost),
        "was built here, and what it was made of is no longer known"
    );
    assert_eq!(sentence(RebuildReason::OutputLost), "its output is no longer whole in the store");
}

#[test]
fn a_new_version_of_a_builder() {
    let old = made_of(json!({}), &[]);
    let new = Fields { version: 2, ..old.clone() };
    assert_eq!(
        sentences(&old, &new),
        ["this mediabuild has version 2 of the builder `prestaged`, not 1"]
    );
}

#[test]
fn another_builder() {
    let old = made_of(json!({ "a": 1 }), &[]);
    let new = Fields { builder: "bootable".into(), ..made_of(json!({ "b": 1 }), &[]) };
    assert_eq!(
        sentences(&old, &new),
        ["is made by the builder `bootable`, no longer by `prestaged`"]
    );
}

#[test]
fn options_that_changed_came_and_went() {
    assert_eq!(
        option_sentences(json!({ "label": "A" }), json!({ "label": "B" })),
        [r#"label changed, "A" → "B""#]
    );
    assert_eq!(
        option_sentences(json!({ "start": null }), json!({ "start": "run.cmd" })),
        [r#"start is new, "run.cmd""#]
    );
    assert_eq!(
        option_sentences(json!({ "start": "run.cmd" }), json!({ "start": null })),
        [r#"start is gone, it was "run.cmd""#]
    );
}

#[test]
fn options_have_the_words_of_the_language() {
    assert_eq!(
        option_sentences(json!({ "epoch_seconds": 0 }), json!({ "epoch_seconds": 86_400 })),
        ["epoch changed, 1970-01-01T00:00:00Z → 1970-01-02T00:00:00Z"]
    );
    assert_eq!(
        option_sentences(
            json!({ "variables": [["OSDTimeZone", { "text": "UTC" }], ["A", { "text": "1" }]] }),
            json!({ "variables": [["OSDTimeZone", { "text": "CET" }]] }),
        ),
        [r#"variables A is gone, it was "1""#, r#"variables OSDTimeZone changed, "UTC" → "CET""#,]
    );
    let long = "x".repeat(100);
    let said = option_sentences(json!({ "start": "" }), json!({ "start": long }));
    assert!(said[0].ends_with('…') && said[0].chars().count() < 100, "{said:?}");
}

#[test]
fn a_secret_with_another_value_is_named_and_not_shown() {
    let options = |fingerprint: &str| json!({ "password": { "reference": "env:PASSWORD", "fingerprint": fingerprint } });
    assert_eq!(
        option_sentences(options("aa11"), options("bb22")),
        ["password: the secret `env:PASSWORD` has another value"]
    );
    let said = option_sentences(options("aa11"), json!({ "password": null }));
    assert_eq!(said, [r#"password is gone, it was "(secret) env:PASSWORD""#]);
}

#[test]
fn inputs_that_came_went_changed_and_moved() {
    assert_eq!(
        input_sentences(&[("base", "1")], &[("base", "1"), ("overlay/0", "2")]),
        ["takes the step of overlay/0 too, as overlay/0"]
    );
    assert_eq!(
        input_sentences(&[("base", "1"), ("overlay/0", "2")], &[("base", "1")]),
        ["takes no overlay/0 any more"]
    );
    assert_eq!(input_sentences(&[("base", "1")], &[("base", "2")]), ["the step of base changed"]);
    assert_eq!(
        input_sentences(&[("a", "1"), ("b", "2")], &[("b", "2"), ("a", "1")]),
        ["takes the same things in another order"]
    );
}

#[test]
fn an_input_that_must_run_first() {
    let old = made_of(json!({}), &[("base", "1")]);
    let mut new = old.clone();
    new.inputs[0].output = None;
    assert_eq!(sentences(&old, &new), ["the step of base must run first"]);
}

fn folder(store: &MemoryStore, files: &[(&str, usize, u8)]) -> Output {
    let mut batch = store.batch().expect("a batch");
    let mut directory = DirectoryBuilder::default();
    for (name, size, byte) in files {
        let content: Content = batch.put_bytes(&vec![*byte; *size]).expect("stored");
        directory.insert(name, content).expect("a name");
    }
    let digest = directory.put(batch.as_mut()).expect("stored");
    batch.commit().expect("stored");
    Output::Directory(digest)
}

fn file_sentences(old: &[(&str, usize, u8)], new: &[(&str, usize, u8)]) -> Vec<String> {
    let store = MemoryStore::default();
    let (old, new) = (folder(&store, old), folder(&store, new));
    let reasons = compare::files(&store, "drivers/net", &old, &new);
    reasons.iter().map(RebuildReason::sentence).collect()
}

#[test]
fn files_that_changed_came_and_went() {
    assert_eq!(
        file_sentences(&[("e1d.sys", 312_000, 1)], &[("e1d.sys", 315_000, 2)]),
        ["drivers/net/e1d.sys changed, 312 KB → 315 KB"]
    );
    assert_eq!(
        file_sentences(&[("e1d.sys", 312_000, 1)], &[("e1d.sys", 312_001, 2)]),
        ["drivers/net/e1d.sys changed, 312000 → 312001 bytes"]
    );
    assert_eq!(
        file_sentences(&[("e1d.sys", 312_000, 1)], &[("e1d.sys", 312_000, 2)]),
        ["drivers/net/e1d.sys changed, still 312 KB"]
    );
    assert_eq!(
        file_sentences(&[("a", 1, 1), ("sub/b", 5, 1)], &[("a", 1, 1), ("sub/c", 6, 1)]),
        ["drivers/net/sub/c is new, 6 B", "drivers/net/sub/b is gone, it had 5 B"]
    );
}

#[test]
fn many_files_are_counted() {
    let names: Vec<String> = (0..7).map(|at| format!("f{at}")).collect();
    let mut new: Vec<(&str, usize, u8)> = names.iter().map(|name| (name.as_str(), 1, 1)).collect();
    new.push(("old", 1, 1));
    let said = file_sentences(&[("old", 1, 1)], &new);
    assert_eq!(said.len(), 6);
    assert_eq!(said[5], "and 2 files more");
    assert_eq!(RebuildReason::MoreFiles { count: 1 }.sentence(), "and 1 file more");
}

#[test]
fn files_that_the_store_has_lost() {
    let store = MemoryStore::default();
    let new = folder(&store, &[("a", 1, 1)]);
    let lost = folder(&MemoryStore::default(), &[("b", 1, 1)]);
    let reasons = compare::files(&store, "drivers/net", &lost, &new);
    let said: Vec<String> = reasons.iter().map(RebuildReason::sentence).collect();
    assert_eq!(said, ["changed; what it held before is no longer in the store"]);
}
