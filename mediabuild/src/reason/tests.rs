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
    let steps = |fields: &Fields| -> Vec<String> {
        fields.inputs.iter().map(|input| format!("the step of {}", input.role)).collect()
    };
    sentences_of((old, &steps(old)), (new, &steps(new)))
}

fn sentences_of(old: (&Fields, &[String]), new: (&Fields, &[String])) -> Vec<String> {
    let old_steps: Vec<&str> = old.1.iter().map(String::as_str).collect();
    let new_steps: Vec<&str> = new.1.iter().map(String::as_str).collect();
    let reasons = compare::fields((old.0, &old_steps), (new.0, &new_steps));
    reasons.iter().map(RebuildReason::sentence).collect()
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
        ["no longer takes the step of overlay/0 as overlay/0"]
    );
    assert_eq!(input_sentences(&[("base", "1")], &[("base", "2")]), ["the step of base changed"]);
    assert_eq!(
        input_sentences(&[("a", "1"), ("b", "2")], &[("b", "2"), ("a", "1")]),
        ["takes the same things in another order"]
    );
}

/// Each input as role, step and output.
fn taken_sentences(old: &[(&str, &str, &str)], new: &[(&str, &str, &str)]) -> Vec<String> {
    let fields = |taken: &[(&str, &str, &str)]| {
        let inputs: Vec<_> = taken.iter().map(|(role, _, output)| (*role, *output)).collect();
        let steps: Vec<String> = taken.iter().map(|(_, step, _)| (*step).to_owned()).collect();
        (made_of(json!({}), &inputs), steps)
    };
    let ((old, old_steps), (new, new_steps)) = (fields(old), fields(new));
    sentences_of((&old, &old_steps), (&new, &new_steps))
}

#[test]
fn another_step_in_a_role_is_not_a_step_that_changed() {
    assert_eq!(
        taken_sentences(&[("source", "import a", "1")], &[("source", "import b", "2")]),
        ["takes import b as source, no longer import a"]
    );
    let renamed = taken_sentences(&[("source", "import a", "1")], &[("source", "import b", "1")]);
    assert!(renamed.is_empty(), "an equal output is no reason: {renamed:?}");
}

#[test]
fn things_in_a_list_are_known_by_their_steps() {
    let (a, b) = (("overlay/0", "import a", "1"), ("overlay/1", "import b", "2"));
    let at = |place: &'static str, (_, step, output): (&str, &'static str, &'static str)| {
        (place, step, output)
    };
    let swapped = [at("overlay/0", b), at("overlay/1", a)];
    assert_eq!(taken_sentences(&[a, b], &swapped), ["takes the same things in another order"]);
    assert_eq!(
        taken_sentences(&[a], &swapped),
        ["takes import b too, as overlay/0"],
        "one that moved up is the same"
    );
    assert_eq!(
        taken_sentences(&[a, b], &[at("overlay/0", b)]),
        ["no longer takes import a as overlay/0"]
    );
    let changed = [a, ("overlay/1", "import b", "3")];
    assert_eq!(taken_sentences(&[a, b], &changed), ["import b changed"]);
}

#[test]
fn a_record_without_steps_is_compared_by_roles() {
    let (old, new) =
        (made_of(json!({}), &[("source", "1")]), made_of(json!({}), &[("source", "2")]));
    let steps = ["import a".to_owned()];
    assert_eq!(sentences_of((&old, &[]), (&new, &steps)), ["import a changed"]);
    assert_eq!(
        sentences_of((&new, &[]), (&made_of(json!({}), &[]), &[])),
        ["takes no source any more"]
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
