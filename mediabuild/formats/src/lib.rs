//! How bytes look: layouts and parsers of media formats, generic over content.
//!
//! Architecture invariant: no file system, clock, environment, randomness, threads or hash-ordered
//! iteration in this crate. A writer turns a tree into a layout ([`layout::Sink`]); a parser reads
//! bytes at offsets ([`source::Source`]). Untrusted bytes give errors, never panics.

pub mod authenticode;
pub mod bcd;
pub mod codec;
pub mod fat;
mod field;
pub mod iso;
pub mod layout;
pub mod partition;
pub mod regf;
pub mod security;
pub mod source;
pub mod variables;
pub mod volume;
pub mod wim;
