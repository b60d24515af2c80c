//! FAT volumes and partition tables: what the writers make, what independent programs say of it,
//! what the readers make of theirs, and of damage.

mod content;
#[path = "../images/mod.rs"]
#[allow(dead_code, reason = "the disc tests use more of it")]
mod images;
mod limits;
mod partition;
mod peers;
mod property;
mod write;
