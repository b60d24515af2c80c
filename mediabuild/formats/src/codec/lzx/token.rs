//! `Token`: a literal or a match, as the symbols that a block writes.

use super::format::{LENGTH_SYMBOLS, MIN_MATCH, SLOTS};

/// Lengths that the main symbol itself tells.
pub(super) const SHORT_LENGTHS: usize = 7;
/// The longest match.
pub(super) const MAX_MATCH: usize = MIN_MATCH + SHORT_LENGTHS + LENGTH_SYMBOLS - 1;
/// Slots 0 to 2: the recent offsets. An explicit offset is coded as itself plus this minus one.
const FORMATTED_BIAS: usize = 2;
/// From this main symbol on, those of slot 8, the low three bits of an offset have a code of their
/// own in aligned blocks.
const FIRST_ALIGNED: usize = 256 + 8 * 8;

/// The length symbol of tokens that have none: behind the alphabet, so that tables have a place
/// for it and loops over tokens need no branch.
pub(super) const NO_LENGTH: usize = 255;
/// The aligned symbol of tokens that have none, likewise, plus anything below 8.
const NO_ALIGNED: usize = 8;

const LENGTH_SHIFT: u32 = 9;
const EXTRA_SHIFT: u32 = LENGTH_SHIFT + 8;

/// Main symbol, length symbol and low bits of the offset, packed: with a window of 32 KiB that is
/// 9, 8 and 13 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token(u32);

impl Token {
    #[inline(always)]
    pub(super) fn literal(byte: u8) -> Token {
        Token(u32::from(byte) | (NO_LENGTH as u32) << LENGTH_SHIFT)
    }

    /// A match at one of the three recent offsets.
    #[inline(always)]
    pub(super) fn repeat(index: usize, length: usize) -> Token {
        Token::of(index, 0, length)
    }

    /// A match at any offset.
    #[inline(always)]
    pub(super) fn explicit(offset: usize, length: usize) -> Token {
        let formatted = offset + FORMATTED_BIAS;
        let low_bits = slot_extra_bits(formatted);
        Token::of(slot_of(offset), (formatted & ((1 << low_bits) - 1)) as u32, length)
    }

    #[inline(always)]
    fn of(slot: usize, extra: u32, length: usize) -> Token {
        let over = length - MIN_MATCH;
        let header = over.min(SHORT_LENGTHS);
        let main = 256 + slot * 8 + header;
        let length_symbol = if header == SHORT_LENGTHS { over - header } else { NO_LENGTH };
        Token(main as u32 | (length_symbol as u32) << LENGTH_SHIFT | extra << EXTRA_SHIFT)
    }

    #[inline(always)]
    pub(super) fn main(self) -> usize {
        (self.0 & ((1 << LENGTH_SHIFT) - 1)) as usize
    }

    #[inline(always)]
    pub(super) fn is_literal(self) -> bool {
        self.main() < 256
    }

    /// Of a match.
    #[inline(always)]
    pub(super) fn slot(self) -> usize {
        (self.main() - 256) >> 3
    }

    /// The length symbol, or [`NO_LENGTH`].
    #[inline(always)]
    pub(super) fn length_symbol(self) -> usize {
        (self.0 >> LENGTH_SHIFT) as usize & 255
    }

    /// The low bits of an explicit offset.
    #[inline(always)]
    pub(super) fn extra(self) -> u32 {
        self.0 >> EXTRA_SHIFT
    }

    /// The symbol for the low three bits of the offset, or [`NO_ALIGNED`] and more.
    #[inline(always)]
    pub(super) fn aligned(self) -> usize {
        let has_none = self.main() < FIRST_ALIGNED;
        self.extra() as usize & 7 | if has_none { NO_ALIGNED } else { 0 }
    }

    /// How many bytes it stands for.
    #[cfg(test)]
    pub(super) fn bytes(self) -> usize {
        match self.is_literal() {
            true => 1,
            false if self.length_symbol() == NO_LENGTH => MIN_MATCH + (self.main() & 7),
            false => MIN_MATCH + SHORT_LENGTHS + self.length_symbol(),
        }
    }

    /// What the recent offsets are behind it.
    pub(super) fn update(self, recent: &mut [u32; 3]) {
        if self.is_literal() {
            return;
        }
        let [first, second, third] = *recent;
        *recent = match self.slot() {
            0 => return,
            1 => [second, first, third],
            2 => [third, second, first],
            slot => [SLOTS.1[slot] + self.extra(), first, second],
        };
    }
}

/// How many low bits of a formatted offset are not told by its slot.
#[inline(always)]
fn slot_extra_bits(formatted: usize) -> u32 {
    (formatted as u32).ilog2() - 1
}

/// The slot of an explicit offset: two for each power of two.
#[inline(always)]
pub(super) fn slot_of(offset: usize) -> usize {
    let formatted = offset + FORMATTED_BIAS;
    let order = (formatted as u32 | 1).ilog2();
    (order * 2) as usize + (formatted >> (order - 1) & 1)
}

#[cfg(test)]
mod tests {
    use super::{MAX_MATCH, SLOTS, Token, slot_of};

    #[test]
    fn tokens_keep_offset_and_length() {
        assert_eq!(MAX_MATCH, 257);
        for offset in 1..=32765 {
            let slot = slot_of(offset);
            let token = Token::explicit(offset, 2 + offset % 256);
            let extra = token.extra();
            assert_eq!(token.slot(), slot);
            assert!(extra < 1 << SLOTS.0[slot]);
            assert_eq!((SLOTS.1[slot] + extra) as usize, offset);
            assert_eq!(token.bytes(), 2 + offset % 256);
            assert_eq!(token.aligned() < 8, slot >= 8);
            assert!(slot < 8 || token.aligned() == (offset + 2) & 7);
        }
        assert_eq!(Token::literal(255).bytes(), 1);
    }

    #[test]
    fn recent_offsets_move_as_the_decoder_moves_them() {
        let mut recent = [1, 2, 3];
        for (token, expected) in [
            (Token::repeat(0, 5), [1, 2, 3]),
            (Token::repeat(1, 5), [2, 1, 3]),
            (Token::repeat(2, 5), [3, 1, 2]),
            (Token::explicit(900, 5), [900, 3, 1]),
            (Token::literal(3), [900, 3, 1]),
        ] {
            token.update(&mut recent);
            assert_eq!(recent, expected);
        }
    }
}
