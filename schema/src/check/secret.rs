//! Secrets on media that cannot keep them.

use crate::definition::{Media, Variable, VariableValue};
use crate::diagnostic::Diagnostic;

/// A medium without a password is encrypted with a password that everybody knows, so a secret on
/// it would be public.
pub(crate) fn check(media: &[Media]) -> Vec<Diagnostic> {
    media.iter().filter(|medium| medium.password.is_none()).filter_map(check_medium).collect()
}

fn check_medium(medium: &Media) -> Option<Diagnostic> {
    let mut secrets = medium.variables.iter().filter(|variable| is_secret(variable));
    let first = secrets.next()?;
    let message = format!(
        "`{}` carries the secret `{}` but has no password",
        medium.name.value, first.name.value
    );
    let mut diagnostic = Diagnostic::error("secret-without-password", medium.name.span, message)
        .label("everybody can read this medium")
        .also(first.value.span, "a secret");
    for secret in secrets {
        diagnostic = diagnostic.also(secret.value.span, "another secret");
    }
    Some(diagnostic.help("add `password (secret)\"env:MEDIA_PASSWORD\"` inside its braces"))
}

fn is_secret(variable: &Variable) -> bool {
    matches!(variable.value.value, VariableValue::Secret(_))
}
