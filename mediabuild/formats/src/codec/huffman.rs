//! Canonical Huffman codes: shorter codes first, ties by symbol.
//!
//! Codes of up to `ROOT` bits are found in one table access. Longer ones are rare by construction
//! and found by comparing with the first code of each length.

use super::bits::Bits;

/// Longest code.
const MAX_LENGTH: usize = 16;
/// What [`Table::decode`] returns for bits that are no code: above every alphabet.
pub(super) const NO_SYMBOL: u16 = u16::MAX;

/// The decoding table of one code. `SIZE` is 2 to the power of `ROOT`.
pub(super) struct Table<const ROOT: u32, const SIZE: usize, const SYMBOLS: usize> {
    /// By the next `ROOT` bits: symbol · 16 + length, or 0 for long codes and no code.
    root: [u16; SIZE],
    /// Symbols in the order of their codes.
    sorted: [u16; SYMBOLS],
    /// By length: the end of its codes, left-aligned in 16 bits.
    limit: [u32; MAX_LENGTH + 1],
    /// By length: the position in `sorted` of its first symbol, minus its first code.
    base: [i32; MAX_LENGTH + 1],
}

impl<const ROOT: u32, const SIZE: usize, const SYMBOLS: usize> Table<ROOT, SIZE, SYMBOLS> {
    /// A table without codes.
    pub(super) fn new() -> Self {
        const { assert!(SIZE == 1 << ROOT && ROOT <= 12) };
        Table {
            root: [0; SIZE],
            sorted: [0; SYMBOLS],
            limit: [0; MAX_LENGTH + 1],
            base: [0; MAX_LENGTH + 1],
        }
    }

    /// Takes over the code with these lengths by symbol; false if there are more codes than bits
    /// can tell apart. Fewer are allowed: a code may be empty if it is never used.
    pub(super) fn build(&mut self, lengths: &[u8]) -> bool {
        debug_assert!(lengths.len() <= SYMBOLS);
        let mut counts = [0_u16; MAX_LENGTH + 1];
        for &length in lengths {
            counts[usize::from(length)] += 1;
        }
        counts[0] = 0;
        let mut starts = [0_u16; MAX_LENGTH + 1];
        let mut code = 0_u32;
        let mut position = 0_u16;
        for length in 1..=MAX_LENGTH {
            let left = MAX_LENGTH - length;
            starts[length] = position;
            self.base[length] = i32::from(position) - (code >> left) as i32;
            position += counts[length];
            code += u32::from(counts[length]) << left;
            self.limit[length] = code;
        }
        if code > 1 << MAX_LENGTH {
            return false;
        }
        for (symbol, &length) in lengths.iter().enumerate().filter(|(_, length)| **length != 0) {
            let start = &mut starts[usize::from(length)];
            self.sorted[usize::from(*start)] = symbol as u16;
            *start += 1;
        }
        self.fill_root(&counts);
        true
    }

    /// Codes ascend, so each takes the entries that follow those of the one before.
    fn fill_root(&mut self, counts: &[u16; MAX_LENGTH + 1]) {
        let mut symbols = self.sorted.iter();
        let mut filled = 0;
        for length in 1..=ROOT {
            let run = 1 << (ROOT - length);
            for &symbol in symbols.by_ref().take(usize::from(counts[length as usize])) {
                self.root[filled..filled + run].fill(symbol << 4 | length as u16);
                filled += run;
            }
        }
        self.root[filled..].fill(0);
    }

    /// Takes the next symbol; at least 16 bits must be loaded.
    #[inline(always)]
    pub(super) fn decode(&self, bits: &mut Bits<'_>) -> u16 {
        let entry = self.root[(bits.peek() >> (64 - ROOT)) as usize & (SIZE - 1)];
        if entry != 0 {
            bits.consume(u32::from(entry & 15));
            return entry >> 4;
        }
        let (symbol, length) = self.find_long((bits.peek() >> 48) as u32);
        bits.consume(length);
        symbol
    }

    /// Symbol and length of the code at the start of 16 bits.
    #[cold]
    fn find_long(&self, next: u32) -> (u16, u32) {
        for length in ROOT as usize + 1..=MAX_LENGTH {
            if next < self.limit[length] {
                let code = (next >> (MAX_LENGTH - length)) as i32;
                let position = usize::try_from(self.base[length] + code);
                let symbol = position.ok().and_then(|position| self.sorted.get(position));
                return (symbol.copied().unwrap_or(NO_SYMBOL), length as u32);
            }
        }
        (NO_SYMBOL, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::{NO_SYMBOL, Table};
    use crate::codec::bits::Bits;

    fn decode_all(lengths: &[u8], words: &[u16], count: usize) -> Vec<u16> {
        let mut table = Table::<3, 8, 32>::new();
        assert!(table.build(lengths));
        let input: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let mut bits = Bits::new(&input, 0);
        let mut next = || {
            bits.refill();
            table.decode(&mut bits)
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn short_and_long_codes_are_canonical() {
        // 0: 2=1 bit; 10: 0; 110: 3; 11100: 1; 11101: 4; 1111…: none
        let lengths = [2, 5, 1, 3, 5];
        let symbols = decode_all(&lengths, &[0b0101_1011_1001_1101, 0], 5);
        assert_eq!(symbols, [2, 0, 3, 1, 4]);
        assert_eq!(decode_all(&lengths, &[0xffff], 1), [NO_SYMBOL]);
    }

    #[test]
    fn too_many_codes_are_refused_and_no_codes_decode_to_nothing() {
        let mut table = Table::<3, 8, 32>::new();
        assert!(!table.build(&[1, 1, 1]));
        assert_eq!(decode_all(&[0, 0], &[0], 1), [NO_SYMBOL]);
    }
}
