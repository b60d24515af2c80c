//! What targets share with each other and with the seeds: discs without their zeros, trees in the
//! form a reader gives them back.

mod canonical;
mod sparse_disc;

pub use canonical::canonical;
pub use sparse_disc::SparseDisc;
