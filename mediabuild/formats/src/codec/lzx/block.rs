//! `BlockPlan`: one block with its type, codes and exact size, and how it is written.

use super::codes::{Counts, Lengths, MAIN_SYMBOLS};
use super::format::{
    ALIGNED_BLOCK, ALIGNED_SYMBOLS, DEFAULT_BLOCK_BYTES, LENGTH_SYMBOLS, SLOTS, UNCOMPRESSED_BLOCK,
    VERBATIM_BLOCK,
};
use super::lengths::CodedLengths;
use super::token::Token;
use super::token_codes::TokenCodes;
use crate::codec::bit_writer::BitWriter;

/// Bits of a block's type.
const TYPE_BITS: u32 = 3;
const SIZE_BITS: u32 = 16;
/// Bits of one length of the aligned offset code, and of an offset's part that it codes.
const ALIGNED_BITS: u32 = 3;
/// Three recent offsets.
const RECENT_BYTES: usize = 12;

/// A block that is ready to be written.
pub(super) struct BlockPlan {
    kind: u32,
    size_bytes: usize,
    lengths: Lengths,
    coded: [CodedLengths; 3],
    /// Header and symbols, without what an uncompressed block skips to the next word.
    bit_count: usize,
}

impl BlockPlan {
    /// Plans a block of `size_bytes` with these symbols, behind a block with the lengths `old`.
    pub(super) fn new(counts: &Counts, size_bytes: usize, old: &Lengths) -> BlockPlan {
        let lengths = Lengths::of(counts);
        let coded = [
            CodedLengths::new(&old.main[..256], &lengths.main[..256]),
            CodedLengths::new(&old.main[256..MAIN_SYMBOLS], &lengths.main[256..MAIN_SYMBOLS]),
            CodedLengths::new(&old.length[..LENGTH_SYMBOLS], &lengths.length[..LENGTH_SYMBOLS]),
        ];
        let aligned = &counts.aligned[..ALIGNED_SYMBOLS];
        let low_bits = sum(aligned, |_| ALIGNED_BITS);
        let coded_low_bits = ALIGNED_SYMBOLS as u32 * ALIGNED_BITS
            + sum(aligned, |symbol| u32::from(lengths.aligned[symbol]));
        let kind = if coded_low_bits < low_bits { ALIGNED_BLOCK } else { VERBATIM_BLOCK };
        let bit_count = header_bits(size_bytes)
            + coded.iter().map(CodedLengths::bit_count).sum::<u32>()
            + sum(&counts.main[..MAIN_SYMBOLS], |symbol| {
                u32::from(lengths.main[symbol]) + free_bits(symbol)
            })
            + sum(&counts.length[..LENGTH_SYMBOLS], |symbol| u32::from(lengths.length[symbol]))
            + low_bits.min(coded_low_bits);
        let mut plan =
            BlockPlan { kind, size_bytes, lengths, coded, bit_count: bit_count as usize };
        plan.prefer_uncompressed(old);
        plan
    }

    fn prefer_uncompressed(&mut self, old: &Lengths) {
        let plain_bits = header_bits(self.size_bytes) as usize
            + 16
            + (RECENT_BYTES + self.size_bytes.next_multiple_of(2)) * 8;
        if plain_bits < self.bit_count {
            self.kind = UNCOMPRESSED_BLOCK;
            self.bit_count = plain_bits;
            self.lengths = old.clone();
        }
    }

    /// How many bits it takes, at most.
    pub(super) fn bit_count(&self) -> usize {
        self.bit_count
    }

    /// The lengths that the next block is coded against.
    pub(super) fn lengths(&self) -> &Lengths {
        &self.lengths
    }

    /// Whether it is of plain bytes, and needs to know the recent offsets.
    pub(super) fn is_plain(&self) -> bool {
        self.kind == UNCOMPRESSED_BLOCK
    }

    /// Writes it; `plain` is what it decodes to. Of a plain block, `recent` are the recent offsets
    /// behind it.
    pub(super) fn write(
        &self,
        tokens: &[Token],
        plain: &[u8],
        recent: &[u32; 3],
        writer: &mut BitWriter,
    ) {
        self.write_header(writer);
        match self.kind {
            UNCOMPRESSED_BLOCK => write_plain(plain, recent, writer),
            kind => {
                self.coded.iter().for_each(|coded| coded.write(writer));
                TokenCodes::of(&self.lengths, kind == ALIGNED_BLOCK).write(tokens, writer);
            }
        }
    }

    fn write_header(&self, writer: &mut BitWriter) {
        writer.write(self.kind, TYPE_BITS);
        match self.size_bytes {
            DEFAULT_BLOCK_BYTES => writer.write(1, 1),
            size_bytes => writer.write(size_bytes as u32, 1 + SIZE_BITS),
        }
        if self.kind == ALIGNED_BLOCK {
            for length in self.lengths.aligned {
                writer.write(u32::from(length), ALIGNED_BITS);
            }
        }
    }
}

fn header_bits(size_bytes: usize) -> u32 {
    TYPE_BITS + 1 + if size_bytes == DEFAULT_BLOCK_BYTES { 0 } else { SIZE_BITS }
}

/// Bits behind a main symbol that no code tells and that are never an aligned symbol.
fn free_bits(main_symbol: usize) -> u32 {
    let Some(header) = main_symbol.checked_sub(256) else { return 0 };
    match u32::from(SLOTS.0[header >> 3]) {
        extra @ ALIGNED_BITS.. => extra - ALIGNED_BITS,
        extra => extra,
    }
}

fn sum(counts: &[u32], bits: impl Fn(usize) -> u32) -> u32 {
    counts.iter().enumerate().map(|(symbol, count)| count * bits(symbol)).sum()
}

fn write_plain(plain: &[u8], recent: &[u32; 3], writer: &mut BitWriter) {
    writer.skip_to_word();
    for offset in recent {
        writer.bytes(&offset.to_le_bytes());
    }
    writer.bytes(plain);
}
