//! The disc writer.

use super::error::WriteError;
use super::options::Options;
use super::tree::Tree;
use crate::layout::Sink;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The disc's size.
    pub size_bytes: u64,
    /// How many files the tree has.
    pub file_count: u64,
    /// How many directories the tree has, the root included.
    pub directory_count: u64,
    /// How many files share the data of an earlier one.
    pub shared_file_count: u64,
    /// How many bytes that saved.
    pub shared_size_bytes: u64,
}

/// Writes `tree` as a disc. Equal contents are stored once.
pub fn write<C: Clone + Ord, S: Sink<C>>(
    _tree: &Tree<C>,
    _options: &Options<C>,
    _sink: &mut S,
) -> Result<Written, WriteError> {
    todo!()
}
