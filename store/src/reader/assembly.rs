//! `Assembly`: a content resolved to stretches of files.
//!
//! Each distinct recipe becomes one list, however often it is used, so a recipe of recipes of
//! recipes cannot blow up; a list stands for its extents as `Vec`s in parallel.

use super::Source;
use crate::Digest;

/// Resolved content: immutable, independent of the index from here on.
pub(crate) struct Assembly {
    /// The first list is the content itself.
    pub(super) lists: Vec<List>,
    pub(super) sources: Vec<Source>,
}

impl Assembly {
    pub(super) fn size_bytes(&self) -> u64 {
        self.lists[0].size_bytes()
    }
}

/// A recipe's steps, or the one step of a blob.
#[derive(Default)]
pub(super) struct List {
    pub(super) steps: Vec<Step>,
    /// Where each step ends.
    ends_bytes: Vec<u64>,
}

pub(super) enum Step {
    Literal(Box<[u8]>),
    Zeros,
    Stored(Stored),
    /// All of the list of that position.
    List(usize),
}

/// A whole blob or part in a file.
#[derive(Clone, Copy)]
pub(super) struct Stored {
    pub(super) digest: Digest,
    /// Position in `Assembly::sources`.
    pub(super) source: usize,
    pub(super) offset_bytes: u64,
}

impl List {
    pub(super) fn push(&mut self, size_bytes: u64, step: Step) {
        self.ends_bytes.push(self.size_bytes() + size_bytes);
        self.steps.push(step);
    }

    pub(super) fn size_bytes(&self) -> u64 {
        self.ends_bytes.last().copied().unwrap_or(0)
    }

    pub(super) fn step_size_bytes(&self, index: usize) -> u64 {
        self.ends_bytes[index] - self.step_start_bytes(index)
    }

    pub(super) fn step_start_bytes(&self, index: usize) -> u64 {
        index.checked_sub(1).map_or(0, |before| self.ends_bytes[before])
    }

    /// The step that holds the byte at `offset_bytes`; one past the last if none does.
    pub(super) fn step_at(&self, offset_bytes: u64) -> usize {
        self.ends_bytes.partition_point(|end_bytes| *end_bytes <= offset_bytes)
    }
}
