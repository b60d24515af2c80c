//! `CodeTable`: finds the symbol of the next bits, for a code that changes often.
//!
//! Codes of up to `ROOT` bits are found in one table access, longer ones, which are rare, by
//! comparing with the end of each length. Unlike the table of static codes, it is made for quick
//! rebuilds: one pass over the symbols.

use super::adaptive_huffman::{AdaptiveCode, MAX_LENGTH};
use super::bits::BackwardBits;

/// The decoding table of one code. `SIZE` is 2 to the power of `ROOT`.
struct CodeTable<const ROOT: u32, const SIZE: usize, const SYMBOLS: usize> {
    /// By the next `ROOT` bits: symbol · 16 + length, or 0 for longer codes.
    root: [u16; SIZE],
    /// Symbols of longer codes in the order of their codes.
    long: [u16; SYMBOLS],
    /// By length: the end of its codes, left-aligned in [`MAX_LENGTH`] bits.
    limit: [u32; MAX_LENGTH + 1],
    /// By length: the position in `long` of its first symbol, minus its first code.
    base: [i32; MAX_LENGTH + 1],
}

impl<const ROOT: u32, const SIZE: usize, const SYMBOLS: usize> CodeTable<ROOT, SIZE, SYMBOLS> {
    fn new() -> Self {
        const { assert!(SIZE == 1 << ROOT && (ROOT as usize) < MAX_LENGTH) };
        CodeTable {
            root: [0; SIZE],
            long: [0; SYMBOLS],
            limit: [0; MAX_LENGTH + 1],
            base: [0; MAX_LENGTH + 1],
        }
    }

    /// Takes over the code with these lengths by symbol, which are between 1 and [`MAX_LENGTH`].
    fn build(&mut self, lengths: &[u8]) {
        let mut counts = [0_u32; 16];
        for &length in lengths {
            counts[usize::from(length & 15)] += 1;
        }
        // The next free entry of `root` by length, or of `long`.
        let mut next = [0_usize; 16];
        let (mut code, mut long) = (0, 0);
        for length in 1..=MAX_LENGTH {
            let left = MAX_LENGTH - length;
            next[length] = (code >> (MAX_LENGTH as u32 - ROOT)) as usize;
            if length > ROOT as usize {
                next[length] = long as usize;
                self.base[length] = long - (code >> left) as i32;
                long += counts[length] as i32;
            }
            code += counts[length] << left;
            self.limit[length] = code;
        }
        for (symbol, &length) in lengths.iter().enumerate() {
            let next = &mut next[usize::from(length & 15)];
            if u32::from(length) <= ROOT {
                let run = 1 << (ROOT - u32::from(length));
                self.root[*next..*next + run].fill((symbol << 4) as u16 | u16::from(length));
                *next += run;
            } else {
                self.long[*next] = symbol as u16;
                *next += 1;
            }
        }
        let filled = self.limit[ROOT as usize] >> (MAX_LENGTH as u32 - ROOT);
        self.root[filled as usize..].fill(0);
    }

    /// The next symbol; at least [`MAX_LENGTH`] bits must be loaded.
    #[inline(always)]
    fn decode(&self, bits: &mut BackwardBits<'_>) -> usize {
        let entry = self.root[(bits.peek() >> (64 - ROOT)) as usize & (SIZE - 1)];
        if entry != 0 {
            bits.consume(u32::from(entry & 15));
            return usize::from(entry >> 4);
        }
        let (symbol, length) = self.find_long((bits.peek() >> (64 - MAX_LENGTH)) as u32);
        bits.consume(length);
        symbol
    }

    /// Symbol and length of the code at the start of [`MAX_LENGTH`] bits. Codes are complete, but
    /// for the one of a single symbol, whose missing half is taken as that symbol.
    #[inline(never)]
    fn find_long(&self, next: u32) -> (usize, u32) {
        for length in ROOT as usize + 1..=MAX_LENGTH {
            if next < self.limit[length] {
                let code = (next >> (MAX_LENGTH - length)) as i32;
                return (
                    usize::from(self.long[(self.base[length] + code) as usize]),
                    length as u32,
                );
            }
        }
        (0, 1)
    }
}

/// An adaptive code and its table.
pub(super) struct AdaptiveTable<const ROOT: u32, const SIZE: usize, const SYMBOLS: usize> {
    code: AdaptiveCode<SYMBOLS>,
    table: CodeTable<ROOT, SIZE, SYMBOLS>,
}

impl<const ROOT: u32, const SIZE: usize, const SYMBOLS: usize> AdaptiveTable<ROOT, SIZE, SYMBOLS> {
    pub(super) fn new(symbol_count: usize, interval: u32) -> Self {
        let code = AdaptiveCode::new(symbol_count, interval);
        let mut table = CodeTable::new();
        table.build(code.lengths());
        AdaptiveTable { code, table }
    }

    /// Takes and counts the next symbol; at least [`MAX_LENGTH`] bits must be loaded.
    #[inline(always)]
    pub(super) fn decode(&mut self, bits: &mut BackwardBits<'_>) -> usize {
        let symbol = self.table.decode(bits);
        if self.code.count(symbol) {
            self.table.build(self.code.lengths());
        }
        symbol
    }
}
