//! `Bits`: the bit stream of LZX and XPRESS.
//!
//! A stream of 16-bit little-endian words whose bits are taken from the most significant one on.
//! Past the end of the input there are zeros, as encoders may omit a last word.

/// Bits a refill leaves at least: three Huffman codes of the longest kind.
pub(super) const REFILLED_BITS: u32 = 48;

/// Reads bits; the next one is the most significant of `buffer`.
///
/// Decoding loops keep a copy in registers. That works as long as rare cases take it by value:
/// a reference to it would force it into memory at each symbol.
#[derive(Clone, Copy)]
pub(super) struct Bits<'a> {
    input: &'a [u8],
    /// The next word to load. It may point past the end, by as many zero words as were loaded.
    position: usize,
    /// The next `count` bits, left-aligned. What is right of them is not defined, except that
    /// loading the same words again does not change it.
    buffer: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    /// Starts at a byte offset.
    pub(super) fn new(input: &'a [u8], position: usize) -> Bits<'a> {
        Bits { input, position, buffer: 0, count: 0 }
    }

    /// Loads words until there are at least [`REFILLED_BITS`] bits.
    #[inline(always)]
    pub(super) fn refill(&mut self) {
        let Some(&bytes) = self.input.get(self.position..).and_then(<[u8]>::first_chunk::<8>)
        else {
            *self = self.refilled_at_end();
            return;
        };
        // Four words at once, the first one into the most significant bits. The bits that do not
        // make a whole word are loaded again by the next refill, to the same place.
        let halves = u64::from_le_bytes(bytes).rotate_left(32);
        let words = (halves & 0x0000_ffff_0000_ffff) << 16 | (halves >> 16) & 0x0000_ffff_0000_ffff;
        self.buffer |= words >> self.count;
        let word_count = (63 - self.count) >> 4;
        self.position += (word_count * 2) as usize;
        self.count += word_count * 16;
    }

    #[cold]
    fn refilled_at_end(mut self) -> Self {
        while self.count < REFILLED_BITS {
            let byte = |offset| {
                let position = self.position.saturating_add(offset);
                u64::from(self.input.get(position).copied().unwrap_or(0))
            };
            let word = byte(0) | byte(1) << 8;
            self.buffer |= word << (REFILLED_BITS - self.count);
            self.position = self.position.saturating_add(2);
            self.count += 16;
        }
        self
    }

    /// The next bits, left-aligned.
    #[inline(always)]
    pub(super) fn peek(&self) -> u64 {
        self.buffer
    }

    /// How many bits can be consumed without a refill.
    #[inline(always)]
    pub(super) fn available(&self) -> u32 {
        self.count
    }

    /// Drops bits that were loaded.
    #[inline(always)]
    pub(super) fn consume(&mut self, count: u32) {
        debug_assert!(count <= self.count);
        self.buffer <<= count;
        self.count -= count;
    }

    /// Takes up to 17 loaded bits as a number.
    #[inline(always)]
    pub(super) fn take(&mut self, count: u32) -> u32 {
        // In two steps, as a shift by 64 is not defined.
        let value = (self.buffer >> 1 >> (63 - count)) as u32;
        self.consume(count);
        value
    }

    /// Refills, then takes up to 32 bits.
    pub(super) fn read(&mut self, count: u32) -> u32 {
        self.refill();
        self.take(count)
    }

    /// Skips to the next word, a whole word if already there, and returns its byte offset.
    pub(super) fn skip_to_word(&mut self) -> usize {
        self.refill();
        self.consume(match self.count & 15 {
            0 => 16,
            partial => partial,
        });
        self.unload(0);
        self.position
    }

    /// Continues at a byte offset.
    pub(super) fn restart(&mut self, position: usize) {
        *self = Bits::new(self.input, position);
    }

    /// Gives loaded words back until at most `keep_words` whole ones are left.
    fn unload(&mut self, keep_words: u32) {
        let back = (self.count / 16).saturating_sub(keep_words);
        self.count -= back * 16;
        self.position -= (back * 2) as usize;
        // Other bytes than the ones to the right of the kept bits may be loaded next.
        self.buffer &= !(u64::MAX >> 1 >> self.count.saturating_sub(1));
        if self.count == 0 {
            self.buffer = 0;
        }
    }

    /// Takes `N` bytes from between the words of the stream: an XPRESS encoder puts them behind
    /// the word that follows the one in use. `None` at the end of the input.
    pub(super) fn interleaved<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.unload(1);
        let bytes = self.input.get(self.position..)?.first_chunk::<N>()?;
        self.position += N;
        Some(*bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::Bits;

    #[test]
    fn bits_come_from_the_top_of_little_endian_words() {
        let mut input: Vec<u8> = [0x8001_u16, 0x1234, 0x5678, 0x9abc, 0xdef0, 0x0102]
            .into_iter()
            .flat_map(u16::to_le_bytes)
            .collect();
        input.push(0x77);
        let mut bits = Bits::new(&input, 0);
        let expected = [(1, 1), (15, 1), (4, 1), (12, 0x234), (16, 0x5678), (16, 0x9abc)];
        for (count, value) in expected {
            assert_eq!(bits.read(count), value);
        }
        let tail = [(16, 0xdef0), (16, 0x0102), (16, 0x0077), (16, 0), (16, 0)];
        for (count, value) in tail {
            assert_eq!(bits.read(count), value);
        }
    }

    #[test]
    fn interleaved_bytes_follow_the_word_after_the_current_one() {
        let input = [0x11, 0x11, 0x22, 0x22, 0xaa, 0xbb, 0xcc, 0x33, 0x33, 0x44, 0x44, 0, 0, 0, 0];
        let mut bits = Bits::new(&input, 0);
        assert_eq!(bits.read(4), 1);
        assert_eq!(bits.interleaved(), Some([0xaa]));
        assert_eq!(bits.interleaved(), Some([0xbb, 0xcc]));
        assert_eq!(bits.read(12), 0x111);
        assert_eq!([bits.read(16), bits.read(16), bits.read(16)], [0x2222, 0x3333, 0x4444]);
    }

    #[test]
    fn an_aligned_stream_skips_a_whole_word() {
        let input = [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6];
        let mut bits = Bits::new(&input, 0);
        bits.read(3);
        assert_eq!(bits.skip_to_word(), 2);
        bits.restart(0);
        bits.read(16);
        assert_eq!(bits.skip_to_word(), 4);
    }
}
