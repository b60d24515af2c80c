//! UDF 1.02 as ECMA-167 (2nd edition) and OSTA have it: the structures, one file per group.

pub(super) mod file;
pub(super) mod icb;
pub(super) mod open;
pub(super) mod tag;
pub(super) mod text;
pub(super) mod volume;
pub(super) mod walk;
