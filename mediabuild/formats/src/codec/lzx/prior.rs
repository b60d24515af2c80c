//! What tokens of a chunk are likely to be, before any of them is known.
//!
//! Without a guess, the first pass of the optimal parser could not tell what is cheap. A guess that
//! follows programs in general leads to better final passes than counts of a lazy parse of the very
//! chunk, whose habits the optimal parser would then repeat: 0.4 % of the size.

use super::codes::Counts;
use super::format::LENGTH_SYMBOLS;

/// Matches by slot, in thousandths: counted over 64 MB of programs.
const SLOTS: [u32; 30] = [
    247, 83, 28, 4, 3, 12, 18, 21, 36, 27, 42, 30, 40, 29, 38, 27, 34, 24, 35, 24, 33, 23, 31, 21,
    28, 18, 21, 12, 10, 2,
];
/// Matches by the length that their main symbol tells, in thousandths: those at recent offsets,
/// and others.
const REPEATED: [u32; 8] = [150, 255, 95, 60, 70, 88, 47, 223];
const EXPLICIT: [u32; 8] = [120, 200, 170, 110, 60, 60, 80, 190];

/// How many matches are expected for 100 literals of the chunk if it had no matches. More than
/// there are: a pass that finds matches cheap leaves it to the next to drop some.
const MATCHES_PERCENT: u32 = 150;
/// Of how many matches one has a length symbol.
const LONG_PART: u32 = 5;

/// Expected counts of the symbols of a chunk.
pub(super) fn expected_counts(chunk: &[u8]) -> Counts {
    let mut counts = Counts::new();
    chunk.iter().for_each(|&byte| counts.main[usize::from(byte)] += 1);
    let match_count = chunk.len() as u32 * MATCHES_PERCENT / 100;
    let rows = counts.main[256..].chunks_exact_mut(8);
    for (slot, (row, share)) in rows.zip(SLOTS).enumerate() {
        let lengths = if slot < 3 { REPEATED } else { EXPLICIT };
        for (count, length) in row.iter_mut().zip(lengths) {
            *count = match_count * share / 1000 * length / 1000;
        }
    }
    set_lengths(&mut counts, match_count / LONG_PART);
    counts
}

/// Lengths get rarer with their square; the longest stands for all that are longer.
fn set_lengths(counts: &mut Counts, long_count: u32) {
    for (symbol, count) in counts.length[..LENGTH_SYMBOLS].iter_mut().enumerate() {
        let rarity = symbol as u32 + 12;
        *count = long_count * 16 / (rarity * rarity);
    }
    counts.length[LENGTH_SYMBOLS - 1] += long_count / 128;
}
