//! `Token`: a literal or a match, as a block writes it.

use super::format::{LONG_LENGTH, LONGER_LENGTH, MIN_MATCH};

/// Symbol, low bits of the offset, and length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    symbol: u16,
    /// The offset without its highest bit.
    offset_bits: u16,
    /// Of a match, beyond the shortest.
    length: u16,
}

impl Token {
    #[inline(always)]
    pub(super) fn literal(byte: u8) -> Token {
        Token { symbol: u16::from(byte), offset_bits: 0, length: 0 }
    }

    #[inline(always)]
    pub(super) fn of_match(offset: usize, length: usize) -> Token {
        let magnitude = (offset as u32 | 1).ilog2();
        let length = length - MIN_MATCH;
        let symbol = 256 + (magnitude as usize) * 16 + length.min(LONG_LENGTH);
        Token {
            symbol: symbol as u16,
            offset_bits: (offset ^ 1 << magnitude) as u16,
            length: length as u16,
        }
    }

    #[inline(always)]
    pub(super) fn symbol(self) -> usize {
        usize::from(self.symbol) & 511
    }

    /// The low bits of the offset.
    #[inline(always)]
    pub(super) fn offset_bits(self) -> u32 {
        u32::from(self.offset_bits)
    }

    /// The length beyond what the symbol can tell, if it cannot tell all.
    #[inline(always)]
    pub(super) fn long_length(self) -> Option<usize> {
        usize::from(self.length).checked_sub(LONG_LENGTH)
    }
}

/// How many low bits of an offset follow a symbol.
pub(super) fn offset_bit_count(symbol: usize) -> u32 {
    symbol.checked_sub(256).map_or(0, |match_| (match_ >> 4) as u32)
}

/// How many bytes tell a length beyond what the symbol can.
pub(super) fn length_byte_count(beyond: usize) -> usize {
    if beyond < usize::from(LONGER_LENGTH) { 1 } else { 3 }
}
