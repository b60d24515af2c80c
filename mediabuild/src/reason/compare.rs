//! Two builds of one step compared: field by field, and an input file by file.

use std::collections::BTreeMap;

use mediabuild_store::{Content, Output, Store, walk, walk_differing};
use serde_json::Value;

use super::{RebuildReason, inputs};
use crate::derivation::Fields;

/// Files of one input that are named; more are counted.
const FILES_MAX: usize = 5;

/// What differs between two builds of a step: its fields, and which steps filled its roles (not told
/// of one that was recorded without them).
pub(crate) fn fields(
    (old, old_steps): (&Fields, &[&str]),
    (new, new_steps): (&Fields, &[&str]),
) -> Vec<RebuildReason> {
    if old.builder != new.builder {
        let (from, to) = (old.builder.clone(), new.builder.clone());
        return vec![RebuildReason::BuilderReplaced { from, to }];
    }
    let mut reasons = Vec::new();
    if old.version != new.version {
        reasons.push(RebuildReason::BuilderChanged {
            builder: new.builder.clone(),
            from: u64::from(old.version),
            to: u64::from(new.version),
        });
    }
    options(&old.options, &new.options, &mut reasons);
    inputs::compare(
        &inputs::taken(&old.inputs, old_steps),
        &inputs::taken(&new.inputs, new_steps),
        &mut reasons,
    );
    reasons
}

/// An option's value where it can be compared.
#[derive(Debug, PartialEq)]
enum Leaf<'a> {
    Value(&'a Value),
    Secret { reference: &'a str, fingerprint: &'a Value },
}

fn options(old: &Value, new: &Value, reasons: &mut Vec<RebuildReason>) {
    let (mut old_leaves, mut new_leaves) = (BTreeMap::new(), BTreeMap::new());
    flatten(String::new(), old, &mut old_leaves);
    flatten(String::new(), new, &mut new_leaves);
    let names: std::collections::BTreeSet<&String> =
        old_leaves.keys().chain(new_leaves.keys()).collect();
    let null = Leaf::Value(&Value::Null);
    for name in names {
        let old = old_leaves.get(name).unwrap_or(&null);
        let new = new_leaves.get(name).unwrap_or(&null);
        if old != new {
            reasons.push(option_reason(name.clone(), old, new));
        }
    }
    // Where leaves are equal, lists of named things can still differ in order.
    if reasons.is_empty() && old != new {
        reasons.push(RebuildReason::InputsReordered);
    }
}

fn option_reason(option: String, old: &Leaf<'_>, new: &Leaf<'_>) -> RebuildReason {
    let value = |leaf: &Leaf<'_>| match leaf {
        Leaf::Value(value) => (*value).clone(),
        Leaf::Secret { reference, .. } => Value::String(format!("(secret) {reference}")),
    };
    match (old, new) {
        (Leaf::Secret { reference: old, .. }, Leaf::Secret { reference, .. })
            if old == reference =>
        {
            RebuildReason::SecretChanged { option, reference: (*reference).to_owned() }
        }
        _ => RebuildReason::OptionChanged { option, from: value(old), to: value(new) },
    }
}

/// The leaves of options by the names users know: a list of pairs is a map, and the name of a
/// variant says nothing.
fn flatten<'a>(name: String, value: &'a Value, leaves: &mut BTreeMap<String, Leaf<'a>>) {
    if let Some(leaf) = secret(value) {
        leaves.insert(name, leaf);
        return;
    }
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (key, value) in fields {
                flatten(joined(&name, &user_word(key)), value, leaves);
            }
        }
        Value::Array(items)
            if !items.is_empty() && items.iter().all(|item| pair(item).is_some()) =>
        {
            for (key, value) in items.iter().filter_map(pair) {
                flatten(joined(&name, key), only_field(value), leaves);
            }
        }
        Value::Array(items) if items.is_empty() => {}
        leaf => {
            leaves.insert(name, Leaf::Value(leaf));
        }
    }
}

fn secret(value: &Value) -> Option<Leaf<'_>> {
    let (reference, fingerprint) = (value.get("reference")?.as_str()?, value.get("fingerprint")?);
    Some(Leaf::Secret { reference, fingerprint })
}

fn pair(item: &Value) -> Option<(&str, &Value)> {
    match item.as_array()?.as_slice() {
        [key, value] => Some((key.as_str()?, value)),
        _ => None,
    }
}

/// What a variant holds: `{"text": "UTC"}` is but a text.
fn only_field(value: &Value) -> &Value {
    match value.as_object() {
        Some(fields) if fields.len() == 1 => fields.values().next().expect("it has one"),
        _ => value,
    }
}

fn joined(name: &str, key: &str) -> String {
    match (name.is_empty(), key.is_empty()) {
        (true, _) => key.into(),
        (_, true) => name.into(),
        _ => format!("{name} {key}"),
    }
}

/// The word of the definition language for a builder's field.
fn user_word(key: &str) -> String {
    match key {
        "epoch_seconds" => "epoch".into(),
        "packages" => "content-layout".into(),
        variant if variant.starts_with(char::is_uppercase) => String::new(),
        field => field.replace('_', "-"),
    }
}

/// How the files of an input differ; `name` is the project's name for the input.
pub(crate) fn files(
    store: &dyn Store,
    name: &str,
    old: &Output,
    new: &Output,
) -> Vec<RebuildReason> {
    let differing = match (old, new) {
        (Output::Directory(old), Output::Directory(new)) => {
            walk_differing(store, old, new).map(|files| files.map(|files| below(name, files))).ok()
        }
        (old, new) => listing(store, name, old).zip(listing(store, name, new)).map(Into::into),
    };
    match differing {
        Some([old, new]) => listings(&old, &new),
        None => vec![RebuildReason::ContentChanged],
    }
}

/// The files of an output; `None` if the store has lost it.
fn listing(store: &dyn Store, name: &str, output: &Output) -> Option<BTreeMap<String, Content>> {
    match output {
        Output::Content(content) => Some(BTreeMap::from([(name.to_owned(), *content)])),
        Output::Directory(digest) => Some(below(name, walk(store, digest).ok()?)),
    }
}

/// The files of a folder, seen from where it lies.
fn below(
    folder: &str,
    files: impl IntoIterator<Item = (String, Content)>,
) -> BTreeMap<String, Content> {
    files.into_iter().map(|(path, content)| (format!("{folder}/{path}"), content)).collect()
}

fn listings(
    old: &BTreeMap<String, Content>,
    new: &BTreeMap<String, Content>,
) -> Vec<RebuildReason> {
    let gone = old.iter().filter(|(path, _)| !new.contains_key(*path)).map(|(path, content)| {
        RebuildReason::FileRemoved { path: path.clone(), size_bytes: content.size_bytes }
    });
    let other = new.iter().filter_map(|(path, content)| {
        let (path, to_bytes) = (path.clone(), content.size_bytes);
        match old.get(&path) {
            None => Some(RebuildReason::FileAdded { path, size_bytes: to_bytes }),
            Some(old) if old.digest == content.digest => None,
            Some(old) => {
                Some(RebuildReason::FileChanged { path, from_bytes: old.size_bytes, to_bytes })
            }
        }
    });
    let mut reasons: Vec<RebuildReason> = other.chain(gone).collect();
    if reasons.len() > FILES_MAX {
        let count = (reasons.len() - FILES_MAX) as u64;
        reasons.truncate(FILES_MAX);
        reasons.push(RebuildReason::MoreFiles { count });
    }
    reasons
}
