//! The backward bit stream: 16-bit words from the end of the chunk on, most significant bits first.

/// Bits that a refill leaves at least: a code and the extra bits of the largest slot.
const REFILLED_BITS: u32 = 48;

/// Reads bits; in front of the input there are zeros.
#[derive(Clone, Copy)]
pub(super) struct BackwardBits<'a> {
    input: &'a [u8],
    /// The end of the next word to load.
    position: usize,
    /// The next `count` bits, left-aligned; what is right of them may be bits that follow.
    buffer: u64,
    count: u32,
    /// Words that were asked for in front of the input.
    missing_words: u32,
}

impl<'a> BackwardBits<'a> {
    pub(super) fn new(input: &'a [u8]) -> BackwardBits<'a> {
        BackwardBits { input, position: input.len(), buffer: 0, count: 0, missing_words: 0 }
    }

    /// Loads words until there are at least [`REFILLED_BITS`] bits.
    #[inline(always)]
    pub(super) fn refill(&mut self) {
        let loaded = self.input.get(..self.position).and_then(<[u8]>::last_chunk::<8>);
        let Some(&bytes) = loaded else {
            *self = self.refilled_at_start();
            return;
        };
        // Four words at once. Those that do not fit are loaded again, to the same place.
        self.buffer |= u64::from_le_bytes(bytes) >> self.count;
        let word_count = (63 - self.count) >> 4;
        self.position -= (word_count * 2) as usize;
        self.count += word_count * 16;
    }

    #[cold]
    fn refilled_at_start(mut self) -> Self {
        while self.count < REFILLED_BITS {
            let word = match self.position.checked_sub(2) {
                Some(position) => {
                    self.position = position;
                    u64::from(self.input[position]) | u64::from(self.input[position + 1]) << 8
                }
                None => {
                    self.missing_words = self.missing_words.saturating_add(1);
                    0
                }
            };
            self.buffer |= word << (REFILLED_BITS - self.count);
            self.count += 16;
        }
        self
    }

    /// The next bits, left-aligned.
    #[inline(always)]
    pub(super) fn peek(&self) -> u64 {
        self.buffer
    }

    /// Drops bits that were loaded.
    #[inline(always)]
    pub(super) fn consume(&mut self, count: u32) {
        debug_assert!(count <= self.count);
        self.buffer <<= count;
        self.count -= count;
    }

    /// Takes up to 30 loaded bits as a number.
    #[inline(always)]
    pub(super) fn take(&mut self, count: u32) -> u32 {
        // In two steps, as a shift by 64 is not defined.
        let value = (self.buffer >> 1 >> (63 - count)) as u32;
        self.consume(count);
        value
    }

    /// Whether bits were consumed that the input does not have.
    pub(super) fn is_overrun(&self) -> bool {
        u64::from(self.missing_words) * 16 > u64::from(self.count)
    }
}

/// Writes bits.
#[derive(Default)]
pub(super) struct BackwardWriter {
    /// Full words; the first one is the last of the chunk.
    words: Vec<u16>,
    /// The latest bits; `count` of them, fewer than 16, are not in `words` yet.
    buffer: u64,
    count: u32,
}

impl BackwardWriter {
    pub(super) fn clear(&mut self) {
        self.words.clear();
        (self.buffer, self.count) = (0, 0);
    }

    /// Appends the low `count` bits of a value that has no others, up to 48.
    #[inline(always)]
    pub(super) fn put(&mut self, value: u64, count: u32) {
        self.buffer = self.buffer << count | value;
        self.count += count;
        while self.count >= 16 {
            self.count -= 16;
            self.words.push((self.buffer >> self.count) as u16);
        }
    }

    /// How many bytes there are so far.
    pub(super) fn size_bytes(&self) -> usize {
        self.words.len() * 2
    }

    /// Appends the chunk's end to the output.
    pub(super) fn finish(&mut self, output: &mut Vec<u8>) {
        self.put(0, (16 - self.count) % 16);
        output.extend(self.words.iter().rev().flat_map(|word| word.to_le_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use super::{BackwardBits, BackwardWriter};

    #[test]
    fn bits_come_from_the_last_word_on() {
        let words = [0x0102_u16, 0xdef0, 0x9abc, 0x5678, 0x1234, 0x8001];
        let input: Vec<u8> = words.into_iter().flat_map(u16::to_le_bytes).collect();
        let mut bits = BackwardBits::new(&input);
        let expected =
            [(1, 1), (15, 1), (4, 1), (12, 0x234), (30, 0x159e_26af), (2, 0), (32, 0xdef0_0102)];
        for (count, value) in expected {
            bits.refill();
            assert_eq!(bits.take(count), value);
        }
        assert!(!bits.is_overrun());
        bits.refill();
        assert_eq!(bits.take(16), 0);
        assert!(bits.is_overrun());
    }

    #[test]
    fn what_is_written_is_read() {
        let mut writer = BackwardWriter::default();
        let values = (0..500_u32).map(|i| (i % 31, i.wrapping_mul(0x9e37_79b1)));
        let values: Vec<(u32, u32)> = values.map(|(n, v)| (n, v & ((1 << n) - 1))).collect();
        values.iter().for_each(|&(count, value)| writer.put(value.into(), count));
        let mut output = vec![9; 3];
        writer.finish(&mut output);
        let mut bits = BackwardBits::new(&output[3..]);
        for (count, value) in values {
            bits.refill();
            assert_eq!(bits.take(count), value);
        }
        assert!(!bits.is_overrun());
    }
}
