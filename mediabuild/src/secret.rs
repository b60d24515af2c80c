//! Secrets: looked up when a medium is made; only a keyed fingerprint enters an identity.

use std::fmt;

use mediabuild_schema::definition::SecretReference;
use serde::Serialize;

use crate::failure::Failure;

/// A secret's value with what may be said of it. Serialises to its reference and a fingerprint
/// keyed by the store's own key, so that a guess cannot be checked against an identity elsewhere.
#[derive(Clone, Serialize)]
pub(crate) struct Secret {
    reference: String,
    fingerprint: String,
    #[serde(skip)]
    value: String,
}

impl Secret {
    pub(crate) fn new(reference: String, value: String, key: &[u8; 32]) -> Self {
        let fingerprint = blake3::keyed_hash(key, value.as_bytes()).to_hex().to_string();
        Secret { reference, fingerprint, value }
    }

    /// The value, for the one builder that encrypts it.
    pub(crate) fn reveal(&self) -> &str {
        &self.value
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.reference)
    }
}

/// `env:NAME` or `file:PATH`, as in the definition.
pub(crate) fn reference_text(reference: &SecretReference) -> String {
    match reference {
        SecretReference::Environment(name) => format!("env:{name}"),
        SecretReference::File(path) => format!("file:{}", path.project_path),
    }
}

/// Looks a secret up. A missing one is the user's to mend (exit code 2), and named.
pub(crate) fn look_up(reference: &SecretReference, key: &[u8; 32]) -> Result<Secret, Failure> {
    let value = match reference {
        SecretReference::Environment(name) => from_environment(name)?,
        SecretReference::File(path) => from_file(&path.path)?,
    };
    if value.is_empty() {
        return Err(Failure::usage(format!("the secret `{}` is empty", reference_text(reference))));
    }
    Ok(Secret::new(reference_text(reference), value, key))
}

fn from_environment(name: &str) -> Result<String, Failure> {
    std::env::var(name).map_err(|error| match error {
        std::env::VarError::NotPresent => {
            Failure::usage(format!("the secret `env:{name}` is not set"))
                .help(format!("{name}=… mediabuild build"))
        }
        std::env::VarError::NotUnicode(_) => {
            Failure::usage(format!("the secret `env:{name}` is not UTF-8"))
        }
    })
}

/// The file's text without the line end that editors add.
fn from_file(path: &std::path::Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::usage(format!("cannot read the secret `{}`: {error}", path.display()))
    })?;
    Ok(text
        .strip_suffix('\n')
        .map(|text| text.strip_suffix('\r').unwrap_or(text))
        .unwrap_or(&text)
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn a_secret_is_never_printed_or_serialised() {
        let secret = Secret::new("env:PASSWORD".into(), "hunter2".into(), &[7; 32]);
        assert_eq!(format!("{secret:?}"), "Secret(env:PASSWORD)");
        let json = serde_json::to_string(&secret).expect("serialises");
        assert!(json.contains("env:PASSWORD") && !json.contains("hunter2"), "{json}");
    }

    #[test]
    fn fingerprints_differ_by_value_and_by_store() {
        let fingerprint = |value: &str, key: u8| {
            serde_json::to_value(Secret::new(String::new(), value.into(), &[key; 32])).unwrap()
                ["fingerprint"].clone()
        };
        assert_eq!(fingerprint("a", 1), fingerprint("a", 1));
        assert_ne!(fingerprint("a", 1), fingerprint("b", 1));
        assert_ne!(fingerprint("a", 1), fingerprint("a", 2));
    }
}
