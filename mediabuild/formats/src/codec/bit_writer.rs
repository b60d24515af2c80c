//! `BitWriter`: the bit stream of LZX, written.
//!
//! A stream of 16-bit little-endian words whose bits are taken from the most significant one on.
//! It writes into a buffer of its own of fixed size, so that the hot loop checks no bounds; the
//! caller knows the exact number of bits before it writes them.

use super::boxed_array;

/// Room for what is smaller than a chunk of 32 KiB, a power of two, so that positions wrap
/// instead of being checked.
const ROOM_BYTES: usize = 1 << 16;
/// A flush stores eight bytes wherever it stands.
const SLACK_BYTES: usize = 8;

/// Writes bits, the most significant first.
pub(super) struct BitWriter {
    bytes: Box<[u8; ROOM_BYTES + SLACK_BYTES]>,
    /// Where the next whole word goes.
    position: usize,
    /// The `count` bits at the right end are not yet stored.
    buffer: u64,
    count: u32,
}

impl BitWriter {
    /// Most bits that may be put between two flushes.
    pub(super) const PUT_MAX_BITS: u32 = 48;

    pub(super) fn new() -> BitWriter {
        BitWriter { bytes: boxed_array(0), position: 0, buffer: 0, count: 0 }
    }

    /// Forgets everything written.
    pub(super) fn clear(&mut self) {
        (self.position, self.buffer, self.count) = (0, 0, 0);
    }

    /// How many bits have been written.
    pub(super) fn bit_count(&self) -> usize {
        self.position * 8 + self.count as usize
    }

    /// Adds the low `count` bits of `bits`; the others are zero.
    #[inline(always)]
    pub(super) fn put(&mut self, bits: u64, count: u32) {
        debug_assert!(count <= Self::PUT_MAX_BITS && bits >> count == 0);
        self.buffer = self.buffer << count | bits;
        self.count += count;
        debug_assert!(self.count <= 15 + Self::PUT_MAX_BITS);
    }

    /// Stores whole words; fewer than 16 bits stay.
    #[inline(always)]
    pub(super) fn flush(&mut self) {
        // All four words at once, of which only the whole ones count. The shift is in two steps,
        // as one by 64 is not defined.
        let words = self.buffer << 1 << (63 - self.count);
        let halves = (words & 0x0000_ffff_0000_ffff) << 16 | (words >> 16) & 0x0000_ffff_0000_ffff;
        let start = self.position & (ROOM_BYTES - 1);
        self.bytes[start..start + 8].copy_from_slice(&halves.rotate_left(32).to_le_bytes());
        self.position += (self.count as usize >> 4) * 2;
        self.count &= 15;
    }

    /// Adds bits and stores whole words: for what is rare.
    pub(super) fn write(&mut self, bits: u32, count: u32) {
        self.put(bits.into(), count);
        self.flush();
    }

    /// Fills up to the next word with zeros; a whole word if already there.
    pub(super) fn skip_to_word(&mut self) {
        self.write(0, 16 - self.count);
    }

    /// Fills the last word with zeros and returns everything written.
    pub(super) fn finish(&mut self) -> &[u8] {
        if self.count > 0 {
            self.skip_to_word();
        }
        &self.bytes[..self.position]
    }

    /// Adds bytes at a word boundary, padded to whole words.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        debug_assert_eq!(self.count, 0);
        let end = self.position + bytes.len();
        self.bytes[self.position..end].copy_from_slice(bytes);
        if bytes.len() % 2 == 1 {
            self.bytes[end] = 0;
        }
        self.position += bytes.len().next_multiple_of(2);
    }
}

#[cfg(test)]
mod tests {
    use super::BitWriter;
    use crate::codec::bits::Bits;

    #[test]
    fn what_is_written_is_read() {
        let fields: Vec<(u32, u32)> = (0..4000_u32)
            .map(|i| (i.wrapping_mul(0x9e37_79b1) >> (32 - i % 17).min(31), i % 17))
            .map(|(value, count)| (value & ((1 << count) - 1), count))
            .collect();
        let mut writer = BitWriter::new();
        for &(value, count) in &fields {
            writer.write(value, count);
        }
        let expected: usize = fields.iter().map(|field| field.1 as usize).sum();
        assert_eq!(writer.bit_count(), expected);
        let bytes = writer.finish().to_vec();
        assert_eq!(bytes.len(), expected.div_ceil(16) * 2);
        let mut bits = Bits::new(&bytes, 0);
        for (value, count) in fields {
            assert_eq!(bits.read(count), value);
        }
    }

    #[test]
    fn bytes_start_at_a_word_and_fill_whole_words() {
        let mut writer = BitWriter::new();
        writer.write(1, 1);
        writer.skip_to_word();
        writer.skip_to_word();
        writer.bytes(b"abc");
        writer.write(0xffff, 16);
        assert_eq!(writer.finish(), [0, 0x80, 0, 0, b'a', b'b', b'c', 0, 0xff, 0xff]);
    }
}
