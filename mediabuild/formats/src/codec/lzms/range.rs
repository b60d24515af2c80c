//! The range coder of binary decisions: 16-bit words from the start of the chunk on.

use super::probability::{Decision, PROBABILITY_BITS};

/// Reads decisions.
#[derive(Clone, Copy)]
pub(super) struct RangeDecoder<'a> {
    input: &'a [u8],
    position: usize,
    range: u32,
    code: u32,
}

impl<'a> RangeDecoder<'a> {
    pub(super) fn new(input: &'a [u8]) -> RangeDecoder<'a> {
        let mut decoder = RangeDecoder { input, position: 0, range: u32::MAX, code: 0 };
        decoder.code = decoder.next_word() << 16;
        decoder.code |= decoder.next_word();
        decoder
    }

    /// Past the end of the input there are zeros.
    #[inline(always)]
    fn next_word(&mut self) -> u32 {
        let word = self.input.get(self.position..).and_then(<[u8]>::first_chunk::<2>);
        self.position = self.position.wrapping_add(2);
        word.map_or(0, |&word| u32::from(u16::from_le_bytes(word)))
    }

    #[inline(always)]
    pub(super) fn decode<const N: usize>(&mut self, decision: &mut Decision<N>) -> u32 {
        if self.range <= 0xffff {
            self.range <<= 16;
            self.code = self.code << 16 | self.next_word();
        }
        let bound = (self.range >> PROBABILITY_BITS) * decision.zero_probability();
        let bit = u32::from(self.code >= bound);
        if bit == 0 {
            self.range = bound;
        } else {
            self.range -= bound;
            self.code -= bound;
        }
        decision.push(bit);
        bit
    }

    /// Whether words were read that the input does not have.
    pub(super) fn is_overrun(&self) -> bool {
        self.position > self.input.len()
    }
}
