//! What you keep: bytes by digest, directories, recipes, realisations, gc roots.
//!
//! Architecture invariant: no KDL, no media words, no knowledge of WIM or ISO in this crate.

mod digest;

pub use digest::{Digest, DigestParseError};
