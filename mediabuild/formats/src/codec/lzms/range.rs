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

/// Writes decisions.
pub(super) struct RangeEncoder {
    words: Vec<u16>,
    /// The start of the range; bit 32 is a carry into what was shifted out.
    low: u64,
    range: u32,
    /// The last word shifted out that is not all ones, and how many words of ones follow it: a
    /// carry would change them.
    cache: Option<u16>,
    ones_count: u64,
}

impl RangeEncoder {
    pub(super) fn new() -> RangeEncoder {
        let words = Vec::new();
        RangeEncoder { words, low: 0, range: u32::MAX, cache: None, ones_count: 0 }
    }

    pub(super) fn clear(&mut self) {
        self.words.clear();
        let words = std::mem::take(&mut self.words);
        *self = RangeEncoder { words, ..RangeEncoder::new() };
    }

    #[inline(always)]
    pub(super) fn encode<const N: usize>(&mut self, decision: &mut Decision<N>, bit: u32) {
        self.normalise();
        let bound = (self.range >> PROBABILITY_BITS) * decision.zero_probability();
        if bit == 0 {
            self.range = bound;
        } else {
            self.range -= bound;
            self.low += u64::from(bound);
        }
        decision.push(bit);
    }

    #[inline(always)]
    fn normalise(&mut self) {
        if self.range <= 0xffff {
            self.range <<= 16;
            self.shift_low();
        }
    }

    /// Shifts a word out of the range.
    fn shift_low(&mut self) {
        let carry = (self.low >> 32) as u16;
        let word = (self.low >> 16) as u16;
        self.low = (self.low & 0xffff) << 16;
        if word == u16::MAX && carry == 0 {
            self.ones_count += 1;
            return;
        }
        self.release(carry);
        self.cache = Some(word);
    }

    /// Writes what no later carry can change.
    fn release(&mut self, carry: u16) {
        // The first word has none before it: the whole range is below 2^32.
        self.words.extend(self.cache.map(|word| word.wrapping_add(carry)));
        let ones = u16::MAX.wrapping_add(carry);
        self.words.extend((0..self.ones_count).map(|_| ones));
        self.ones_count = 0;
    }

    /// How many bytes there will be, but for the last few.
    pub(super) fn size_bytes(&self) -> usize {
        (self.words.len() + self.ones_count as usize) * 2
    }

    /// Appends the chunk's start to the output.
    pub(super) fn finish(&mut self, output: &mut Vec<u8>) {
        // As if another decision followed: 7-Zip loads what it would need, and demands that no
        // code is left over.
        self.normalise();
        // What a decoder has loaded: two words.
        (0..2).for_each(|_| self.shift_low());
        self.release(0);
        output.extend(self.words.iter().flat_map(|word| word.to_le_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use super::{RangeDecoder, RangeEncoder};
    use crate::codec::lzms::probability::Decision;

    fn assert_decoded(bits: &[u32]) {
        let (mut encoder, mut decision) = (RangeEncoder::new(), Decision::<16>::new());
        bits.iter().for_each(|&bit| encoder.encode(&mut decision, bit));
        let mut output = Vec::new();
        encoder.finish(&mut output);
        let (mut decoder, mut decision) = (RangeDecoder::new(&output), Decision::<16>::new());
        for (index, &bit) in bits.iter().enumerate() {
            assert_eq!(decoder.decode(&mut decision), bit, "decision {index}");
        }
        assert!(!decoder.is_overrun());
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        assert_decoded(&[]);
        assert_decoded(&[1; 1000]);
        assert_decoded(&[0; 1000]);
        let mut state = 1_u32;
        for bias in 1..8 {
            let bits: Vec<u32> = (0..20_000)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    u32::from(state >> 29 < bias)
                })
                .collect();
            assert_decoded(&bits);
        }
    }
}
