//! Where the tokens of a chunk are cut into blocks: neighbours that are unlike each other get
//! codes of their own, if that saves more than the codes cost.

use super::codes::{Counts, MAIN_SYMBOLS};
use super::format::LENGTH_SYMBOLS;
use super::tokens::Segment;
use crate::codec::log2::{FRACTION_BITS, log2};

/// What a block costs beside its symbols, in bits: type, size, three precodes.
const BLOCK_BITS: u32 = 220;
/// What the length of a used symbol costs, in bits.
const SYMBOL_BITS: u32 = 4;

/// A segment and about how many bits it takes as a block.
struct Block {
    segment: Segment,
    cost: u32,
}

/// Makes blocks of segments, in place.
pub(super) fn split(segments: &mut Vec<Segment>) {
    if segments.len() < 2 {
        return;
    }
    let mut blocks: Vec<Block> = segments.drain(..).map(block).collect();
    let mut merged: Vec<Block> = blocks.windows(2).map(|pair| merge(&pair[0], &pair[1])).collect();
    // The pair that gains most becomes one, until none gains.
    while let Some(best) = best_pair(&blocks, &merged) {
        blocks[best] = merged.remove(best);
        blocks.remove(best + 1);
        if best > 0 {
            merged[best - 1] = merge(&blocks[best - 1], &blocks[best]);
        }
        if best + 1 < blocks.len() {
            merged[best] = merge(&blocks[best], &blocks[best + 1]);
        }
    }
    segments.extend(blocks.into_iter().map(|block| block.segment));
}

fn best_pair(blocks: &[Block], merged: &[Block]) -> Option<usize> {
    let gain = |index: usize| {
        (blocks[index].cost + blocks[index + 1].cost).checked_sub(merged[index].cost)
    };
    let gains = (0..merged.len()).filter_map(|index| Some((gain(index)?, index)));
    gains.max_by_key(|&(gain, index)| (gain, usize::MAX - index)).map(|(_, index)| index)
}

fn block(segment: Segment) -> Block {
    let cost = cost(&segment.counts);
    Block { segment, cost }
}

fn merge(left: &Block, right: &Block) -> Block {
    let mut segment = left.segment.clone();
    segment.counts.add_all(&right.segment.counts);
    segment.tokens.end = right.segment.tokens.end;
    segment.bytes.end = right.segment.bytes.end;
    block(segment)
}

/// By small number: it times its logarithm. Most counts are small, and each pair of blocks asks for
/// those of all symbols.
static LOGS: [u32; 512] = logs();

const fn logs() -> [u32; 512] {
    let mut table = [0; 512];
    let mut count = 0;
    while count < table.len() {
        table[count] = count as u32 * log2(count as u32);
        count += 1;
    }
    table
}

/// About how many bits a block takes, beside those that no code tells.
fn cost(counts: &Counts) -> u32 {
    BLOCK_BITS + entropy(&counts.main[..MAIN_SYMBOLS]) + entropy(&counts.length[..LENGTH_SYMBOLS])
}

/// The bits of all symbols by an ideal code, and those of the code's lengths.
fn entropy(counts: &[u32]) -> u32 {
    let total: u32 = counts.iter().sum();
    let (mut logs, mut used) = (0, 0);
    for &count in counts {
        logs += match LOGS.get(count as usize) {
            Some(&log) => log,
            None => count * log2(count),
        };
        used += u32::from(count != 0);
    }
    ((total * log2(total) - logs) >> FRACTION_BITS) + used * SYMBOL_BITS
}
