//! `Settings`: what a level spends. Figures are of 67 MB of binaries in one chunk.

use crate::codec::Level;

/// How far a search goes, and where its tables end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    /// False: the quick parser, which weighs nothing.
    pub(super) is_weighed: bool,
    /// A match of this length is taken at once. Longer ones cost next to nothing per byte, however
    /// they are put together: 64 instead of 256 costs 0.1 % of size and saves half of the time.
    pub(super) nice_length: u32,
    /// Buckets, as powers of two, unless the chunk has fewer positions: those of four bytes, of
    /// seven, of sixteen. Twice as many buckets of four bytes are worth 0.2 %, of the others 0.1 %
    /// together.
    pub(super) bucket_bits: [u32; 3],
    /// Candidates of a bucket that are looked at.
    pub(super) depth: usize,
}

impl Settings {
    pub(super) fn of(level: Level) -> Settings {
        match level {
            // 10 MB of tables, which leaves a build its memory.
            Level::Fast => {
                Settings { is_weighed: false, nice_length: 32, bucket_bits: [16, 16, 18], depth: 4 }
            }
            // 64 MB of tables.
            Level::Default => {
                Settings { is_weighed: true, nice_length: 64, bucket_bits: [19, 19, 20], depth: 16 }
            }
            // 128 MB of tables.
            Level::Max => Settings {
                is_weighed: true,
                nice_length: 160,
                bucket_bits: [20, 20, 21],
                depth: 16,
            },
        }
    }
}
