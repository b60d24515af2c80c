//! `CodeTable`: finds the symbol of the next bits, for a code that changes often.
//!
//! Codes of up to `ROOT` bits are found in one table access, longer ones, which are rare, by
//! comparing with the end of each length. Unlike the table of static codes, it is of codes that are
//! complete.

use super::adaptive_huffman::{AdaptiveCode, MAX_LENGTH};
use super::bits::BackwardBits;

/// The decoding table of one code. `SIZE` is 2 to the power of `ROOT`.
struct CodeTable<const ROOT: u32, const SIZE: usize, const SYMBOLS: usize> {
    /// By the next `ROOT` bits: symbol · 16 + length, or 0 for longer codes.
    root: [u16; SIZE],
    /// Symbols in the order of their codes.
    sorted: [u16; SYMBOLS],
    /// By length: the end of its codes, left-aligned in [`MAX_LENGTH`] bits.
    limit: [u32; MAX_LENGTH + 1],
    /// By length: the position in `sorted` of its first symbol, minus its first code.
    base: [i32; MAX_LENGTH + 1],
}

impl<const ROOT: u32, const SIZE: usize, const SYMBOLS: usize> CodeTable<ROOT, SIZE, SYMBOLS> {
    fn new() -> Self {
        const { assert!(SIZE == 1 << ROOT && (ROOT as usize) < MAX_LENGTH) };
        CodeTable {
            root: [0; SIZE],
            sorted: [0; SYMBOLS],
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
        // The next free entry of `sorted` by length.
        let mut next = [0_usize; 16];
        let (mut code, mut sorted) = (0, 0);
        for length in 1..=MAX_LENGTH {
            let left = MAX_LENGTH - length;
            next[length] = sorted as usize;
            self.base[length] = sorted - (code >> left) as i32;
            sorted += counts[length] as i32;
            code += counts[length] << left;
            self.limit[length] = code;
        }
        for (symbol, &length) in lengths.iter().enumerate() {
            let next = &mut next[usize::from(length & 15)];
            self.sorted[*next] = symbol as u16;
            *next += 1;
        }
        self.fill_root(&counts);
    }

    /// Codes ascend, so each takes the entries that follow those of the one before.
    fn fill_root(&mut self, counts: &[u32; 16]) {
        let mut symbols = self.sorted.iter();
        let mut filled = 0;
        for length in 1..=ROOT {
            let run = 1 << (ROOT - length);
            for &symbol in symbols.by_ref().take(counts[length as usize] as usize) {
                fill_ahead(&mut self.root, filled, run, symbol << 4 | length as u16);
                filled += run;
            }
        }
        self.root[filled..].fill(0);
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
                    usize::from(self.sorted[(self.base[length] + code) as usize]),
                    length as u32,
                );
            }
        }
        (0, 1)
    }
}

/// Fills the `run` entries from `start` on, where what follows is filled later: most runs are short,
/// and a step of one size costs less than to find out how short.
#[inline(always)]
fn fill_ahead(entries: &mut [u16], start: usize, run: usize, entry: u16) {
    const STEP: usize = 8;
    let end = start + run;
    let mut at = start;
    while at < end {
        match entries[at..].first_chunk_mut::<STEP>() {
            Some(step) => *step = [entry; STEP],
            None => return entries[at..end].fill(entry),
        }
        at += STEP;
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
