//! `Expected`: the digest that somebody says a file must have, and the hasher that tells.

use std::fmt;

use mediabuild_store::{Content, Digest};
use sha2::{Digest as _, Sha256};

/// The memo table of SHA-256 by content, which vendors publish and registries name files by.
pub(crate) const SHA256_MEMO: &str = "sha256";

/// `blake3:…` or `sha256:…`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Blake3(Digest),
    Sha256([u8; 32]),
}

impl Expected {
    /// Reads what a user typed; whatever case the digits have, as vendors write both.
    pub(crate) fn parse(text: &str) -> Result<Expected, String> {
        let wanted = "write it as blake3:DIGEST or sha256:DIGEST, with 64 hexadecimal digits";
        let (algorithm, digits) = text.split_once(':').ok_or(wanted)?;
        let digest: Digest = digits.to_lowercase().parse().map_err(|_| wanted)?;
        match algorithm {
            "blake3" => Ok(Expected::Blake3(digest)),
            "sha256" => Ok(Expected::Sha256(*digest.as_bytes())),
            _ => Err(wanted.into()),
        }
    }

    /// What the file has instead, unless it is as expected.
    pub(crate) fn differs(&self, content: &Content, sha256: Option<[u8; 32]>) -> Option<Expected> {
        let found = match self {
            Expected::Blake3(_) => Expected::Blake3(content.digest),
            Expected::Sha256(_) => Expected::Sha256(sha256?),
        };
        (found != *self).then_some(found)
    }

    /// A hasher, where reading a file for its BLAKE3 does not tell.
    pub(crate) fn hasher(&self) -> Option<Sha256> {
        matches!(self, Expected::Sha256(_)).then(Sha256::new)
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expected::Blake3(digest) => write!(f, "blake3:{digest}"),
            Expected::Sha256(digest) => write!(f, "sha256:{}", Digest::from_bytes(*digest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Expected;

    #[test]
    fn digests_are_read_and_shown() {
        for text in ["blake3", "sha256"].map(|algorithm| format!("{algorithm}:{}", "0a".repeat(32)))
        {
            assert_eq!(Expected::parse(&text).expect("valid").to_string(), text);
            assert_eq!(
                Expected::parse(
                    &text.to_uppercase().replace("BLAKE3", "blake3").replace("SHA256", "sha256")
                )
                .expect("valid")
                .to_string(),
                text
            );
        }
        for text in ["", "0a", "md5:0a", "blake3:", "sha256:0a", "blake3:zz"] {
            assert!(Expected::parse(text).is_err(), "{text}");
        }
    }
}
