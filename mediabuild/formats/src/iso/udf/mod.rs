//! UDF as ECMA-167 and OSTA have it: the structures, one file per group. Written is 1.02, read are
//! all revisions up to 2.60.

pub(super) mod file;
pub(super) mod icb;
pub(super) mod integrity;
mod link;
mod maps;
mod metadata_file;
pub(super) mod open;
pub(super) mod partition;
pub(super) mod tag;
pub(super) mod text;
pub(super) mod volume;
pub(super) mod walk;
