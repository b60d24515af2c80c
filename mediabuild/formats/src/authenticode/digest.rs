//! Digests that signatures are made with.

use der::asn1::ObjectIdentifier;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

/// A digest algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestKind {
    /// SHA-1
    Sha1,
    /// SHA-256
    Sha256,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
}

const KINDS: [(ObjectIdentifier, DigestKind); 4] = [
    (ObjectIdentifier::new_unwrap("1.3.14.3.2.26"), DigestKind::Sha1),
    (ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1"), DigestKind::Sha256),
    (ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2"), DigestKind::Sha384),
    (ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3"), DigestKind::Sha512),
];

impl DigestKind {
    /// Its usual name.
    pub fn name(self) -> &'static str {
        match self {
            DigestKind::Sha1 => "SHA-1",
            DigestKind::Sha256 => "SHA-256",
            DigestKind::Sha384 => "SHA-384",
            DigestKind::Sha512 => "SHA-512",
        }
    }

    pub(super) fn of(oid: ObjectIdentifier) -> Option<DigestKind> {
        KINDS.iter().find(|(known, _)| *known == oid).map(|(_, kind)| *kind)
    }

    /// The digest of pieces, one behind the other.
    pub(super) fn digest(self, pieces: &[&[u8]]) -> Vec<u8> {
        match self {
            DigestKind::Sha1 => all::<Sha1>(pieces),
            DigestKind::Sha256 => all::<Sha256>(pieces),
            DigestKind::Sha384 => all::<Sha384>(pieces),
            DigestKind::Sha512 => all::<Sha512>(pieces),
        }
    }
}

fn all<D: Digest>(pieces: &[&[u8]]) -> Vec<u8> {
    let mut hasher = D::new();
    pieces.iter().for_each(|piece| hasher.update(piece));
    hasher.finalize().to_vec()
}
