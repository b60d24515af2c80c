//! `RebuildReason`: why a step must run, in the user's words.
//!
//! Reasons are found by comparing the fields a step's identity was made of with those of the last
//! build ([`compare`]), so that what is explained and what decides cannot disagree.

pub(crate) mod compare;
mod find;
mod inputs;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use find::Past;

use crate::size::human;

/// One difference between a step and its last build.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub(crate) enum RebuildReason {
    /// No build of this project on this store has had this step.
    NeverBuilt,
    /// It was built, and what it was made of is no longer known.
    RecordLost,
    /// Nothing differs, and its output is not whole in the store.
    OutputLost,
    /// Another version of mediabuild makes other bytes of the same definitions.
    BuilderChanged { builder: String, from: u64, to: u64 },
    /// The step has the same name and is made by something else.
    BuilderReplaced { from: String, to: String },
    /// An option has another value; `null` where there was or is none.
    OptionChanged { option: String, from: Value, to: Value },
    /// A secret has another value.
    SecretChanged { option: String, reference: String },
    /// It takes something more.
    InputAdded { role: String, step: String },
    /// It takes something no longer.
    InputRemoved {
        role: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<String>,
    },
    /// It takes something else in a role.
    InputReplaced { role: String, from: String, to: String },
    /// What it takes is the same, in another order.
    InputsReordered,
    /// What it takes has another output.
    InputChanged { role: String, step: String },
    /// What it takes must run first, and may have another output then.
    InputRuns { role: String, step: String },
    /// A file of the input was not there.
    FileAdded { path: String, size_bytes: u64 },
    /// A file of the input is not there any more.
    FileRemoved { path: String, size_bytes: u64 },
    /// A file of the input has other bytes.
    FileChanged { path: String, from_bytes: u64, to_bytes: u64 },
    /// So many more files differ.
    MoreFiles { count: u64 },
    /// The input differs, and what it held is no longer in the store.
    ContentChanged,
}

impl RebuildReason {
    /// The step whose own reasons lie behind this one.
    pub(crate) fn behind(&self) -> Option<&str> {
        match self {
            RebuildReason::InputChanged { step, .. } | RebuildReason::InputRuns { step, .. } => {
                Some(step)
            }
            _ => None,
        }
    }

    /// The reason as a sentence whose subject is the step: `label changed, "A" → "B"`.
    pub(crate) fn sentence(&self) -> String {
        match self {
            RebuildReason::NeverBuilt => "was not built here before".into(),
            RebuildReason::RecordLost => {
                "was built here, and what it was made of is no longer known".into()
            }
            RebuildReason::OutputLost => "its output is no longer whole in the store".into(),
            RebuildReason::BuilderChanged { builder, from, to } => {
                format!("this mediabuild has version {to} of the builder `{builder}`, not {from}")
            }
            RebuildReason::BuilderReplaced { from, to } => {
                format!("is made by the builder `{to}`, no longer by `{from}`")
            }
            RebuildReason::OptionChanged { option, from, to } => option_sentence(option, from, to),
            RebuildReason::SecretChanged { option, reference } => {
                format!("{option}: the secret `{reference}` has another value")
            }
            RebuildReason::InputAdded { role, step } => format!("takes {step} too, as {role}"),
            RebuildReason::InputRemoved { role, step: None } => format!("takes no {role} any more"),
            RebuildReason::InputRemoved { role, step: Some(step) } => {
                format!("no longer takes {step} as {role}")
            }
            RebuildReason::InputReplaced { role, from, to } => {
                format!("takes {to} as {role}, no longer {from}")
            }
            RebuildReason::InputsReordered => "takes the same things in another order".into(),
            RebuildReason::InputChanged { step, .. } => format!("{step} changed"),
            RebuildReason::InputRuns { step, .. } => format!("{step} must run first"),
            RebuildReason::FileAdded { path, size_bytes } => {
                format!("{path} is new, {}", human(*size_bytes))
            }
            RebuildReason::FileRemoved { path, size_bytes } => {
                format!("{path} is gone, it had {}", human(*size_bytes))
            }
            RebuildReason::FileChanged { path, from_bytes, to_bytes } => {
                format!("{path} changed, {}", sizes(*from_bytes, *to_bytes))
            }
            RebuildReason::MoreFiles { count: 1 } => "and 1 file more".into(),
            RebuildReason::MoreFiles { count } => format!("and {count} files more"),
            RebuildReason::ContentChanged => {
                "changed; what it held before is no longer in the store".into()
            }
        }
    }
}

fn option_sentence(option: &str, from: &Value, to: &Value) -> String {
    match (from, to) {
        (Value::Null, to) => format!("{option} is new, {}", shown(option, to)),
        (from, Value::Null) => format!("{option} is gone, it was {}", shown(option, from)),
        (from, to) => format!("{option} changed, {} → {}", shown(option, from), shown(option, to)),
    }
}

/// A value as a person would write it, cut where it gets long.
fn shown(option: &str, value: &Value) -> String {
    if option == "epoch"
        && let Some(time) = value.as_i64().and_then(|s| jiff::Timestamp::from_second(s).ok())
    {
        return time.to_string();
    }
    const CHARS_MAX: usize = 60;
    let text = value.to_string();
    if text.chars().count() <= CHARS_MAX {
        return text;
    }
    let head: String = text.chars().take(CHARS_MAX).collect();
    format!("{head}…")
}

/// Two sizes, exactly where they look alike when rounded.
fn sizes(from_bytes: u64, to_bytes: u64) -> String {
    if from_bytes == to_bytes {
        return format!("still {}", human(to_bytes));
    }
    let (from, to) = (human(from_bytes), human(to_bytes));
    if from == to {
        return format!("{from_bytes} → {to_bytes} bytes");
    }
    format!("{from} → {to}")
}
