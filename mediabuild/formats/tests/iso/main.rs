//! Discs: what the writer makes, what independent programs say of it, what the reader makes of theirs.

mod boot;
mod chain;
mod content;
mod large;
mod peer;
mod property;
mod read;
mod set;
mod write;
