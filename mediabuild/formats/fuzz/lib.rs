//! What targets share with each other and with the seeds: discs without their zeros, trees in the
//! form a reader gives them back, chunks through an encoder and back, blobs in units.

mod canonical;
mod encode;
mod sparse_disc;
mod units;

pub use canonical::canonical;
pub use encode::check_encoder;
pub use sparse_disc::SparseDisc;
pub use units::check_units;
