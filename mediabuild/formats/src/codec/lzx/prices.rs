//! `Prices`: what tokens cost, by how often their symbols occur.

use super::codes::{Counts, MAIN_SYMBOLS};
use super::format::{ALIGNED_SYMBOLS, LENGTH_SYMBOLS, MIN_MATCH, SLOTS};
use super::token::{MAX_MATCH, SHORT_LENGTHS};
use crate::codec::boxed_array;
use crate::codec::log2::{FRACTION_BITS, log2};

/// In bits, with the fraction bits of a logarithm.
pub(super) type Price = u32;

/// One bit.
const BIT: Price = 1 << FRACTION_BITS;
/// More than any path costs, and so little that differences fit 31 bits.
pub(super) const UNREACHED: Price = 1 << 29;

/// Offset slots, with room for any five bits.
const SLOT_ROWS: usize = 32;
/// Lengths of matches from the shortest on, with room behind the longest: a power of two.
const LENGTH_COLUMNS: usize = 256 + LANES;
/// Lengths that are offered at once.
pub(super) const LANES: usize = 4;

/// Prices by token.
pub(super) struct Prices {
    pub(super) literal: [Price; 256],
    /// By slot and length, with the offset bits that are never an aligned symbol.
    matches: Box<[[Price; LENGTH_COLUMNS]; SLOT_ROWS]>,
    /// The low three bits of an offset.
    aligned: [Price; ALIGNED_SYMBOLS],
}

impl Prices {
    pub(super) fn new() -> Prices {
        let matches = boxed_array([UNREACHED; LENGTH_COLUMNS]);
        Prices { literal: [0; 256], matches, aligned: [0; ALIGNED_SYMBOLS] }
    }

    /// Sets what symbols cost that occur as often as counted.
    pub(super) fn set(&mut self, counts: &Counts) {
        let main = symbol_prices(&counts.main[..MAIN_SYMBOLS]);
        self.literal.copy_from_slice(&main[..256]);
        let length = symbol_prices(&counts.length[..LENGTH_SYMBOLS]);
        for (slot, (row, main)) in
            self.matches.iter_mut().zip(main[256..].chunks_exact(8)).enumerate()
        {
            let extra_bits = u32::from(SLOTS.0[slot]);
            let extra = BIT * if extra_bits >= 3 { extra_bits - 3 } else { extra_bits };
            for (price, main) in row.iter_mut().zip(&main[..SHORT_LENGTHS]) {
                *price = main + extra;
            }
            let long = main[SHORT_LENGTHS] + extra;
            for (price, length) in row[SHORT_LENGTHS..].iter_mut().zip(&length[..LENGTH_SYMBOLS]) {
                *price = long + length;
            }
        }
        self.set_aligned(counts);
    }

    /// A code for low bits is used only if it saves something; else they are three bits.
    fn set_aligned(&mut self, counts: &Counts) {
        let aligned = &counts.aligned[..ALIGNED_SYMBOLS];
        let prices = symbol_prices(aligned);
        let coded: Price = prices.iter().zip(aligned).map(|(price, count)| price * count).sum();
        let pays = coded + 24 * BIT < aligned.iter().sum::<u32>() * 3 * BIT;
        self.aligned = std::array::from_fn(|symbol| if pays { prices[symbol] } else { 3 * BIT });
    }

    /// Prices of matches in a slot by length, from `length` on.
    #[inline(always)]
    pub(super) fn lengths(&self, slot: usize, length: usize) -> &[Price; LANES] {
        let row = &self.matches[slot & (SLOT_ROWS - 1)];
        let column = (length - MIN_MATCH) & 255;
        row[column..].first_chunk().unwrap_or(&[UNREACHED; LANES])
    }

    /// The price of the low bits of an explicit offset.
    #[inline(always)]
    pub(super) fn low_bits(&self, slot: usize, offset: usize) -> Price {
        if slot < 8 { 0 } else { self.aligned[(offset + 2) & 7] }
    }
}

const _: () = assert!(MAX_MATCH - MIN_MATCH < 256);

/// Half an occurrence for each symbol, so that none is free or impossible.
fn symbol_prices(counts: &[u32]) -> [Price; MAIN_SYMBOLS] {
    let total = log2(counts.iter().map(|count| 2 * count + 1).sum());
    let mut prices = [0; MAIN_SYMBOLS];
    for (price, &count) in prices.iter_mut().zip(counts) {
        *price = (total - log2(2 * count + 1)).max(BIT / 2);
    }
    prices
}
