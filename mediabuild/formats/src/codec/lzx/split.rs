//! Where the tokens of a chunk are cut into blocks: neighbours that are unlike each other get
//! codes of their own, if that saves more than the codes cost.

use std::ops::Range;

use super::codes::Counts;
use super::token::Token;
use crate::codec::log2::{FRACTION_BITS, log2};

/// What a block costs beside its symbols, in bits: type, size, three precodes.
const BLOCK_BITS: u32 = 220;
/// What the length of a used symbol costs, in bits.
const SYMBOL_BITS: u32 = 3;

/// Neighbouring tokens.
struct Segment {
    tokens: Range<usize>,
    counts: Counts,
    cost: u32,
}

/// Cuts tokens into blocks; segments of `segment_tokens` are never cut.
pub(super) fn split(tokens: &[Token], segment_tokens: usize) -> Vec<Range<usize>> {
    let mut segments: Vec<Segment> = (0..tokens.len())
        .step_by(segment_tokens)
        .map(|start| segment(tokens, start..(start + segment_tokens).min(tokens.len())))
        .collect();
    let mut merged: Vec<Segment> =
        segments.windows(2).map(|pair| merge(&pair[0], &pair[1])).collect();
    // The pair that gains most becomes one, until none gains.
    while let Some(best) = best_pair(&segments, &merged) {
        segments[best] = merged.remove(best);
        segments.remove(best + 1);
        if best > 0 {
            merged[best - 1] = merge(&segments[best - 1], &segments[best]);
        }
        if best + 1 < segments.len() {
            merged[best] = merge(&segments[best], &segments[best + 1]);
        }
    }
    segments.into_iter().map(|segment| segment.tokens).collect()
}

fn best_pair(segments: &[Segment], merged: &[Segment]) -> Option<usize> {
    let gain = |index: usize| {
        (segments[index].cost + segments[index + 1].cost).checked_sub(merged[index].cost)
    };
    let gains = (0..merged.len()).filter_map(|index| Some((gain(index)?, index)));
    gains.max_by_key(|&(gain, index)| (gain, usize::MAX - index)).map(|(_, index)| index)
}

fn segment(tokens: &[Token], range: Range<usize>) -> Segment {
    let counts = Counts::of(&tokens[range.clone()]);
    let cost = cost(&counts);
    Segment { tokens: range, counts, cost }
}

fn merge(left: &Segment, right: &Segment) -> Segment {
    let mut counts = left.counts.clone();
    counts.add_all(&right.counts);
    let cost = cost(&counts);
    Segment { tokens: left.tokens.start..right.tokens.end, counts, cost }
}

/// About how many bits a block takes, beside those that no code tells.
fn cost(counts: &Counts) -> u32 {
    BLOCK_BITS + entropy(&counts.main) + entropy(&counts.length)
}

/// The bits of all symbols by an ideal code, and those of the code's lengths.
fn entropy(counts: &[u32]) -> u32 {
    let total: u32 = counts.iter().sum();
    let (mut logs, mut used) = (0, 0);
    for &count in counts {
        logs += count * log2(count);
        used += u32::from(count != 0);
    }
    ((total * log2(total) - logs) >> FRACTION_BITS) + used * SYMBOL_BITS
}
