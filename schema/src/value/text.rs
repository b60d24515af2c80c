//! Plain values: text, numbers, flags.

use crate::node::Value;
use crate::problem::Problem;
use crate::tree::TreeValue;

/// The string of `value`.
pub(crate) fn string<'a>(value: Value<'a>) -> Result<&'a str, Problem> {
    value.string().ok_or_else(|| {
        let help = match value.kind() {
            TreeValue::Null => "write text between quotes, or leave it out".to_string(),
            _ => format!("write `\"{}\"`", value.plain()),
        };
        wrong_type(value, "a string", help)
    })
}

/// A number from 1.
pub(crate) fn index(value: Value<'_>) -> Result<u32, Problem> {
    let number = value.integer().ok_or_else(|| {
        let digits = value.string().filter(|s| s.parse::<u32>().is_ok_and(|n| n > 0));
        wrong_type(value, "a number", format!("write `{}`", digits.unwrap_or("1")))
    })?;
    u32::try_from(number).ok().filter(|number| *number > 0).ok_or_else(|| {
        let message = format!("`{number}` is not a number from 1 to {}", u32::MAX);
        Problem::new("number-out-of-range", "out of range", message, "count from 1, as DISM does")
    })
}

/// `#true` or `#false`.
pub(crate) fn flag(value: Value<'_>) -> Result<bool, Problem> {
    value.flag().ok_or_else(|| {
        let word = value.string().filter(|s| matches!(*s, "false" | "no" | "off"));
        let help = if word.is_some() { "write `#false`" } else { "write `#true` or `#false`" };
        wrong_type(value, "a flag", help.into())
    })
}

/// Text that says something.
pub(crate) fn text(text: &str) -> Result<(), Problem> {
    if text.trim().is_empty() {
        let message = "this text must not be empty";
        return Err(Problem::new(
            "empty-text",
            "empty",
            message,
            "write it, or leave the node out",
        ));
    }
    characters(text)
}

/// Text, maybe empty, without characters that XML and command lines cannot carry.
pub(crate) fn characters(text: &str) -> Result<(), Problem> {
    match text.chars().find(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
        None => Ok(()),
        Some(c) => {
            let message = format!("the text holds the control character U+{:04X}", u32::from(c));
            Err(Problem::new("control-character", "control character", message, "leave it out"))
        }
    }
}

fn wrong_type(value: Value<'_>, wanted: &str, help: String) -> Problem {
    let (label, message) = match value.kind() {
        TreeValue::String(_) => ("a string", format!("{wanted} must stand here, not a string")),
        TreeValue::Integer(_) | TreeValue::Float(_) => {
            ("a number", format!("{wanted} must stand here, not a number"))
        }
        TreeValue::Bool(_) => ("a flag", format!("{wanted} must stand here, not a flag")),
        TreeValue::Null => ("null", format!("{wanted} must stand here, not `#null`")),
    };
    Problem::new("wrong-type", label, message, help)
}
