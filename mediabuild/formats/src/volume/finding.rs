//! `Finding`: something wrong with a volume or a partition table that does not keep it from being read.

use super::read_error::ReadError;

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub offset_bytes: u64,
    /// What, the offset included.
    pub message: String,
}

impl Finding {
    /// What could not be read.
    pub(crate) fn of(error: &ReadError) -> Finding {
        Finding { offset_bytes: error.offset_bytes(), message: error.to_string() }
    }

    /// What is wrong at that place.
    pub(crate) fn at(offset_bytes: u64, what: &str) -> Finding {
        Finding { offset_bytes, message: format!("at {offset_bytes}: {what}") }
    }
}
