//! `TokenCodes`: the codes of a block by token, and the loop that writes tokens.

use super::codes::{ALIGNED_SIZE, Code, LENGTH_SIZE, Lengths, MAIN_SIZE, codes};
use super::codes::{code_bits, code_length};
use super::format::{ALIGNED_SYMBOLS, SLOTS};
use super::token::Token;
use crate::codec::bit_writer::BitWriter;

/// Low bits of an offset that are an aligned symbol.
const ALIGNED_BITS: u32 = 3;

/// Codes by symbol. Symbols that tokens do not have are codes of no bits, so that the loop over
/// tokens has no branch to predict: which token comes next is what a code cannot foresee either.
pub(super) struct TokenCodes {
    /// The code's bits, its length at 16, how many offset bits follow at 24, and at 30 how many
    /// of the token's are left to the aligned code.
    main: [u32; MAIN_SIZE],
    length: [Code; LENGTH_SIZE],
    aligned: [Code; ALIGNED_SIZE],
}

impl TokenCodes {
    pub(super) fn of(lengths: &Lengths, is_aligned: bool) -> TokenCodes {
        let mut main = codes(&lengths.main);
        for (symbol, code) in main.iter_mut().enumerate() {
            let extra_bits =
                symbol.checked_sub(256).map_or(0, |match_| SLOTS.0[match_ >> 3].into());
            let left = if is_aligned && extra_bits >= ALIGNED_BITS { ALIGNED_BITS } else { 0 };
            *code |= (extra_bits - left) << 24 | left << 30;
        }
        let mut aligned = [0; ALIGNED_SIZE];
        if is_aligned {
            aligned[..ALIGNED_SYMBOLS].copy_from_slice(&codes(&lengths.aligned));
        }
        TokenCodes { main, length: codes(&lengths.length), aligned }
    }

    pub(super) fn write(&self, tokens: &[Token], writer: &mut BitWriter) {
        for &token in tokens {
            let main = self.main[token.main()];
            let length = self.length[token.length_symbol()];
            let aligned = self.aligned[token.aligned()];
            let (main_bits, extra_bits) = (main >> 16 & 31, main >> 24 & 31);
            let mut bits = u64::from(code_bits(main));
            bits = bits << code_length(length) | u64::from(code_bits(length));
            bits = bits << extra_bits | u64::from(token.extra() >> (main >> 30));
            bits = bits << code_length(aligned) | u64::from(code_bits(aligned));
            let count = main_bits + code_length(length) + extra_bits + code_length(aligned);
            writer.put(bits, count);
            writer.flush();
        }
    }
}
