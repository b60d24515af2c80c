//! `WordWriter`: the bit stream of XPRESS, written.
//!
//! 16-bit little-endian words whose bits are taken from the most significant one on, with bytes
//! between them: a decoder has two words loaded, so that bytes go behind the word that follows
//! the one in use.

use crate::codec::boxed_array;

/// More than a chunk, a power of two, so that positions wrap instead of being checked.
const ROOM_BYTES: usize = 1 << 17;
const SLACK_BYTES: usize = 8;

/// Writes bits, the most significant first, and bytes between them.
pub(super) struct WordWriter {
    bytes: Box<[u8; ROOM_BYTES + SLACK_BYTES]>,
    /// Where the word in use goes, and the one that follows.
    current: usize,
    next: usize,
    /// What is behind them.
    end: usize,
    /// The `count` bits at the right end belong to the word in use and what follows.
    buffer: u32,
    count: u32,
}

impl WordWriter {
    pub(super) fn new() -> WordWriter {
        WordWriter { bytes: boxed_array(0), current: 0, next: 0, end: 0, buffer: 0, count: 0 }
    }

    /// Starts with these bytes, then bits.
    pub(super) fn start(&mut self, head: &[u8]) {
        self.bytes[..head.len()].copy_from_slice(head);
        (self.current, self.next, self.end) = (head.len(), head.len() + 2, head.len() + 4);
        (self.buffer, self.count) = (0, 0);
    }

    /// Adds up to 15 bits. A full word stays in use until bits follow it, as in a decoder.
    #[inline(always)]
    pub(super) fn put(&mut self, bits: u32, count: u32) {
        self.buffer = self.buffer << count | bits;
        self.count += count;
        // Stored whether it is full or not, and counted if so: no branch.
        let is_full = self.count > 16;
        let word = self.buffer << 1 << (31 - self.count) >> 16;
        let at = self.current & (ROOM_BYTES - 1);
        self.bytes[at..at + 2].copy_from_slice(&(word as u16).to_le_bytes());
        self.count -= if is_full { 16 } else { 0 };
        self.current = if is_full { self.next } else { self.current };
        self.next = if is_full { self.end } else { self.next };
        self.end += if is_full { 2 } else { 0 };
    }

    /// Adds bytes between the words.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        let end = self.end + bytes.len();
        self.bytes[self.end..end].copy_from_slice(bytes);
        self.end = end;
    }

    /// Fills both words in use with zeros and returns everything written.
    pub(super) fn finish(&mut self) -> &[u8] {
        let word = (self.buffer << (16 - self.count)) as u16;
        self.bytes[self.current..self.current + 2].copy_from_slice(&word.to_le_bytes());
        self.bytes[self.next..self.next + 2].fill(0);
        &self.bytes[..self.end]
    }
}

#[cfg(test)]
mod tests {
    use super::WordWriter;

    #[test]
    fn bytes_follow_the_word_after_the_current_one() {
        let mut writer = WordWriter::new();
        writer.start(&[9]);
        writer.put(1, 4);
        writer.bytes(&[0xaa]);
        writer.bytes(&[0xbb, 0xcc]);
        writer.put(0x111, 12);
        writer.bytes(&[0xdd]);
        writer.put(0x1111, 14);
        writer.bytes(&[0xee]);
        writer.put(0x3, 2);
        writer.put(0x7, 3);
        let expected = [9, 0x11, 0x11, 0x47, 0x44, 0xaa, 0xbb, 0xcc, 0xdd, 0, 0xe0, 0xee, 0, 0];
        assert_eq!(writer.finish(), expected);
    }
}
