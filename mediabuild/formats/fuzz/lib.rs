//! What targets share with each other and with the seeds: discs without their zeros, trees in the
//! form a reader gives them back, blobs in units.

mod canonical;
mod sparse_disc;
mod units;

pub use canonical::canonical;
pub use sparse_disc::SparseDisc;
pub use units::check_units;
