//! `Chains`: where in a chunk the same bytes stood before.
//!
//! The chunk is there as a whole, so the chains of all positions are linked before any search, in
//! loops without a branch. A search then reads only.

use super::boxed_array;
use super::window::Window;

/// Buckets by the hash of four bytes: as many as a chunk of 32 KiB has positions. With half as many,
/// false candidates take 3 % of the time and spoil 0.03 % of the size.
const HASH4_BITS: u32 = 15;
/// Buckets by the hash of three bytes.
const HASH3_BITS: u32 = 15;

/// Candidates between two looks whether the chain has ended: where it ends is hard to predict, and
/// behind its end there is only position 0 again. One by one takes a tenth more time.
const GROUP: u32 = 4;

/// Positions of a chunk, linked by their first bytes. 0 means none.
pub(super) struct Chains {
    head4: Box<[u16; 1 << HASH4_BITS]>,
    head3: Box<[u16; 1 << HASH3_BITS]>,
    /// By position: the one before with the same hash of four bytes.
    previous4: Box<[u16; 1 << 16]>,
    /// By position: the one before with the same hash of three bytes.
    previous3: Box<[u16; 1 << 16]>,
}

/// A match: how many bytes repeat those `offset` bytes before. Length 0 means none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Match {
    pub(super) length: usize,
    pub(super) offset: usize,
}

impl Chains {
    pub(super) fn new() -> Chains {
        Chains {
            head4: boxed_array(0),
            head3: boxed_array(0),
            previous4: boxed_array(0),
            previous3: boxed_array(0),
        }
    }

    /// Links all positions of a window by three and four bytes.
    pub(super) fn link(&mut self, window: &Window) {
        self.head4.fill(0);
        self.head3.fill(0);
        // The last positions hash zeros behind the end; matches are cut there.
        for position in Window::START..window.end().min(1 << 16) {
            let bytes = window.load4(position);
            let head = &mut self.head4[hash(bytes, HASH4_BITS)];
            self.previous4[position] = std::mem::replace(head, position as u16);
            let head = &mut self.head3[hash(bytes << 8, HASH3_BITS)];
            self.previous3[position] = std::mem::replace(head, position as u16);
        }
    }

    /// The nearest of the longest matches at `position` that are longer than `longer_than` (at
    /// least 3) and at most `limit`, among the `depth` nearest candidates, rounded up to
    /// whole groups.
    #[inline(always)]
    pub(super) fn longest(
        &self,
        window: &Window,
        position: usize,
        longer_than: usize,
        limit: usize,
        depth: u32,
    ) -> Match {
        let mut found = Match::default();
        let mut length = longer_than;
        if length >= limit {
            return found;
        }
        // A longer match agrees in the byte behind the best one: compare the four that end there
        // before all others.
        let mut last = window.load4(position + length - 3);
        let mut candidate = usize::from(self.previous4[position]);
        for _ in 0..depth.div_ceil(GROUP) {
            if candidate == 0 {
                break;
            }
            for _ in 0..GROUP {
                if window.load4(candidate + length - 3) == last {
                    let reached = window.common(candidate, position, limit);
                    if reached > length && candidate != 0 {
                        found = Match { length: reached, offset: position - candidate };
                        if reached == limit {
                            return found;
                        }
                        length = reached;
                        last = window.load4(position + length - 3);
                    }
                }
                candidate = usize::from(self.previous4[candidate]);
            }
        }
        found
    }

    /// The offset of the nearest place that has the same three bytes; 0 if there is none.
    #[inline(always)]
    pub(super) fn nearest3(&self, window: &Window, position: usize) -> usize {
        let candidate = usize::from(self.previous3[position]);
        let differs = (window.load4(candidate) ^ window.load4(position)) << 8 != 0;
        if candidate == 0 || differs { 0 } else { position - candidate }
    }
}

/// The top bits of a product with the golden ratio.
#[inline(always)]
fn hash(bytes: u32, bits: u32) -> usize {
    (bytes.wrapping_mul(0x9e37_79b1) >> (32 - bits)) as usize
}
