//! Discs: what the writer makes, what independent programs say of it, what the reader makes of theirs.

mod boot;
mod chain;
mod content;
mod foreign;
mod hostile;
mod hostile_udf;
#[path = "../images/mod.rs"]
mod images;
mod large;
mod matrix;
mod mirror;
mod partitions;
mod property;
mod put;
mod read;
mod readers;
mod set;
mod sizes;
mod write;
