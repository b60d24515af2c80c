//! Authenticode: who signed a program, and whether the program is still what was signed.
//!
//! ```text
//! PE file:  headers · sections · certificate table
//!                                  entry: size · revision · type 2 · PKCS#7 SignedData
//!                                           content: digest of the file
//!                                           signer's unsigned attributes: a nested SignedData, …
//! ```
//! **The signers are named by the file and not verified**: no chain is checked up to a root, no
//! signature is checked with its key, no list of revoked certificates is asked. What is checked is
//! that the digest in the signature is that of the file, so a changed file is told.
//!
//! Beside that, the security versions that a program says it has.
//!
//! Not here: catalogues, page hashes.

mod certificates;
mod digest;
mod error;
mod extent;
mod pe;
mod sections;
mod security_version;
mod signature;

pub use certificates::Authority;
pub use digest::DigestKind;
pub use error::Error;
pub use pe::Pe;
pub use security_version::{SecurityVersion, security_versions};
pub use signature::{FileDigest, Signature, signatures};
