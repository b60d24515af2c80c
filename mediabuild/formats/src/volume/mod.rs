//! Volumes: what discs and FAT volumes share. A tree of files to be written, the order of their data,
//! names as Windows compares them; entries that are read, and why one cannot be.
//!
//! Not here: any structure of a file system.

mod entry;
mod file_reader;
mod find;
mod finding;
pub(crate) mod name;
pub(crate) mod order;
pub(crate) mod path;
pub(crate) mod read_error;
mod tree;
mod tree_error;

pub use entry::{Entry, FileExtent};
pub use file_reader::FileReader;
pub use find::find;
pub use finding::Finding;
pub use order::{BOOT_ORDER, unmatched_order};
pub use read_error::ReadError;
pub use tree::{Directory, Node, Rules, Tree};
pub use tree_error::TreeError;
