//! `CodedLengths`: the lengths of a code as differences to the block before, in runs, by a
//! precode.

use super::codes::{Code, code_bits, code_length, codes};
use super::format::PRECODE_SYMBOLS;
use crate::codec::bit_writer::BitWriter;
use crate::codec::code_lengths::set_code_lengths;

const PRECODE_MAX_BITS: usize = 15;
/// How many bits tell a length of the precode.
const PRECODE_LENGTH_BITS: u32 = 4;
/// Runs of zeros: 4 and more, 20 and more; runs of another length.
const SHORT_ZEROS: u8 = 17;
const LONG_ZEROS: u8 = 18;
const EQUAL: u8 = 19;
/// By symbol from `SHORT_ZEROS` on: the shortest run, and the bits that tell how much longer.
const RUNS: [(usize, u32); 3] = [(4, 4), (20, 5), (4, 1)];
/// Lengths are differences modulo this.
const MODULUS: u8 = 17;

/// The largest number of lengths coded at once: the literals.
const ITEMS_MAX: usize = 256;

/// A precode symbol and the value of the bits behind it.
#[derive(Clone, Copy, Default)]
struct Item {
    symbol: u8,
    extra: u8,
}

/// Code lengths, ready to be written.
pub(super) struct CodedLengths {
    items: [Item; ITEMS_MAX],
    item_count: usize,
    precode: [u8; PRECODE_SYMBOLS],
    bit_count: u32,
}

impl CodedLengths {
    /// Codes `new` against `old`.
    pub(super) fn new(old: &[u8], new: &[u8]) -> CodedLengths {
        let mut coded = CodedLengths {
            items: [Item::default(); ITEMS_MAX],
            item_count: 0,
            precode: [0; PRECODE_SYMBOLS],
            bit_count: 0,
        };
        coded.add_runs(old, new);
        coded.set_precode();
        coded
    }

    /// How many bits it takes.
    pub(super) fn bit_count(&self) -> u32 {
        self.bit_count
    }

    fn add_runs(&mut self, old: &[u8], new: &[u8]) {
        let mut index = 0;
        while index < new.len() {
            let length = new[index];
            let run = new[index..].iter().take_while(|&&next| next == length).count();
            let delta = (old[index] + MODULUS - length) % MODULUS;
            index += match length {
                0 if run >= RUNS[1].0 => self.add_run(LONG_ZEROS, run),
                0 if run >= RUNS[0].0 => self.add_run(SHORT_ZEROS, run),
                1.. if run >= RUNS[2].0 => {
                    let taken = self.add_run(EQUAL, run);
                    self.add(delta, 0);
                    taken
                }
                _ => {
                    self.add(delta, 0);
                    1
                }
            };
        }
    }

    /// Adds as much of a run as one symbol can tell; returns how much that is.
    fn add_run(&mut self, symbol: u8, run: usize) -> usize {
        let (shortest, extra_bits) = RUNS[usize::from(symbol - SHORT_ZEROS)];
        let extra = (run - shortest).min((1 << extra_bits) - 1);
        self.add(symbol, extra as u8);
        shortest + extra
    }

    fn add(&mut self, symbol: u8, extra: u8) {
        self.items[self.item_count] = Item { symbol, extra };
        self.item_count += 1;
    }

    fn items(&self) -> &[Item] {
        &self.items[..self.item_count]
    }

    fn set_precode(&mut self) {
        let mut counts = [0; PRECODE_SYMBOLS];
        self.items().iter().for_each(|item| counts[usize::from(item.symbol)] += 1);
        set_code_lengths(&counts, PRECODE_MAX_BITS, &mut self.precode);
        self.bit_count = PRECODE_SYMBOLS as u32 * PRECODE_LENGTH_BITS;
        for (symbol, (count, &length)) in counts.iter().zip(&self.precode).enumerate() {
            self.bit_count += count * (u32::from(length) + extra_bits(symbol as u8));
        }
    }

    pub(super) fn write(&self, writer: &mut BitWriter) {
        for &length in &self.precode {
            writer.write(u32::from(length), PRECODE_LENGTH_BITS);
        }
        let codes: [Code; PRECODE_SYMBOLS] = codes(&self.precode);
        for item in self.items() {
            let code = codes[usize::from(item.symbol)];
            writer.put(code_bits(code).into(), code_length(code));
            writer.put(item.extra.into(), extra_bits(item.symbol));
            writer.flush();
        }
    }
}

/// How many bits follow a precode symbol.
fn extra_bits(symbol: u8) -> u32 {
    match symbol.checked_sub(SHORT_ZEROS) {
        Some(run) => RUNS[usize::from(run)].1,
        None => 0,
    }
}
