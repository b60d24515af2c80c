//! What you keep: bytes by digest, directories, recipes, realisations, gc roots.
//!
//! ```text
//!   blob ◄── part (a range of a blob)        bytes, named by plain BLAKE3
//!     ▲        ▲
//!   recipe: literals, zeros, contents ──┐    named in a domain of its own
//!     ▲        ▲───────────────────────┘
//!   directory: names to contents and directories
//!     ▲
//!   realisation: derivation id to output     root: name to output
//! ```
//! [`Store`] reads and [`Batch`] writes; [`DiskStore`] keeps it all in a folder, [`MemoryStore`]
//! in memory. One suite of tests runs over both.
//!
//! Architecture invariant: no KDL, no media words, no knowledge of WIM or ISO in this crate.

mod aligned;
mod blobs;
mod content;
mod copy;
mod decode;
mod derivation_lock;
mod digest;
mod directory;
mod disk;
mod error;
mod memory;
mod os;
mod output;
mod part_table;
mod reader;
mod recipe;
mod require;
mod shelf;
mod store;
mod whole;

pub use blobs::Blobs;
pub use content::{Content, Part};
pub use copy::{Copier, CopyError};
pub use decode::DecodeError;
pub use derivation_lock::DerivationLock;
pub use digest::{Digest, DigestParseError};
pub use directory::{
    Directory, DirectoryBuilder, DirectoryError, Entry, EntryName, NameError, walk, walk_differing,
};
pub use disk::{
    DiskStore, GcOptions, GcReport, Quarantined, RebuildReport, RootUsage, ScrubOptions,
    ScrubReport, Usage,
};
pub use error::Error;
pub use memory::MemoryStore;
pub use output::{Conflict, DerivationId, Output, Problem, Root};
pub use reader::{RandomReader, Reader};
pub use recipe::{Extent, Recipe, RecipeBuilder};
pub use store::{Batch, Observe, Store};
