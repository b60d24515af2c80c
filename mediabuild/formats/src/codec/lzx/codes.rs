//! `Counts` and `Codes`: how often the symbols of a block occur, and what codes they get.

use super::format::{ALIGNED_SYMBOLS, LENGTH_SYMBOLS};
use super::token::Token;
use crate::codec::code_lengths::{set_code_lengths, set_codes};

/// Main symbols of a window of 32 KiB.
pub(super) const MAIN_SYMBOLS: usize = 256 + 8 * 30;
/// Arrays by symbol have these sizes, so that a packed symbol indexes them without a check.
pub(super) const MAIN_SIZE: usize = 512;
pub(super) const LENGTH_SIZE: usize = 256;
pub(super) const ALIGNED_SIZE: usize = 16;

/// One bit less than the format allows, so that a whole match fits between two flushes of the
/// writer. A chunk has too few symbols for the last bit to matter.
const MAIN_MAX_BITS: usize = 15;
const LENGTH_MAX_BITS: usize = 16;
const ALIGNED_MAX_BITS: usize = 7;

/// How often each symbol occurs in a block. Tables have room for what stands for no symbol.
#[derive(Clone)]
pub(super) struct Counts {
    pub(super) main: [u32; MAIN_SIZE],
    pub(super) length: [u32; LENGTH_SIZE],
    pub(super) aligned: [u32; ALIGNED_SIZE],
}

impl Counts {
    pub(super) fn new() -> Counts {
        Counts { main: [0; MAIN_SIZE], length: [0; LENGTH_SIZE], aligned: [0; ALIGNED_SIZE] }
    }

    #[inline(always)]
    pub(super) fn add(&mut self, token: Token) {
        self.main[token.main()] += 1;
        self.length[token.length_symbol()] += 1;
        self.aligned[token.aligned()] += 1;
    }

    pub(super) fn add_all(&mut self, others: &Counts) {
        let pairs = self.main.iter_mut().zip(&others.main);
        pairs.for_each(|(count, other)| *count += other);
        let pairs = self.length.iter_mut().zip(&others.length);
        pairs.for_each(|(count, other)| *count += other);
        let pairs = self.aligned.iter_mut().zip(&others.aligned);
        pairs.for_each(|(count, other)| *count += other);
    }
}

/// The lengths of all codes of a block; the next block is coded against them.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Lengths {
    pub(super) main: [u8; MAIN_SIZE],
    pub(super) length: [u8; LENGTH_SIZE],
    pub(super) aligned: [u8; ALIGNED_SYMBOLS],
}

impl Lengths {
    /// What a chunk starts with.
    pub(super) fn new() -> Lengths {
        Lengths { main: [0; MAIN_SIZE], length: [0; LENGTH_SIZE], aligned: [0; ALIGNED_SYMBOLS] }
    }

    pub(super) fn of(counts: &Counts) -> Lengths {
        let mut lengths = Lengths::new();
        let main = &mut lengths.main[..MAIN_SYMBOLS];
        set_code_lengths(&counts.main[..MAIN_SYMBOLS], MAIN_MAX_BITS, main);
        let length = &mut lengths.length[..LENGTH_SYMBOLS];
        set_code_lengths(&counts.length[..LENGTH_SYMBOLS], LENGTH_MAX_BITS, length);
        set_code_lengths(
            &counts.aligned[..ALIGNED_SYMBOLS],
            ALIGNED_MAX_BITS,
            &mut lengths.aligned,
        );
        lengths
    }
}

/// The code of one symbol: its length above, its bits in the low half.
pub(super) type Code = u32;

pub(super) fn code_bits(code: Code) -> u32 {
    code & 0xffff
}

pub(super) fn code_length(code: Code) -> u32 {
    code >> 16
}

/// The canonical codes of these lengths: the length above, the bits in the low half.
pub(super) fn codes<const SIZE: usize>(lengths: &[u8; SIZE]) -> [Code; SIZE] {
    let mut bits = [0; SIZE];
    set_codes(lengths, &mut bits);
    std::array::from_fn(|symbol| u32::from(lengths[symbol]) << 16 | u32::from(bits[symbol]))
}
