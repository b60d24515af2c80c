//! `Walk`: the nodes of one part offer their tokens, from the first to the last.
//!
//! Most of the time of the levels above fast goes by here.

use super::match_cache::MatchCache;
use super::optimal::{EXPLICIT, LENGTH_SHIFT, Node, Optimal, REPEATED_MAX, Recent, Step};
use super::prices::{LANES, Price, Prices};
use super::token::MAX_MATCH;
use crate::codec::window::Window;

/// How many offers are made. What one offset offers, those that cost more do not offer too if the
/// pass is quick.
pub(super) const QUICK: bool = false;
pub(super) const THOROUGH: bool = true;

/// Literals between a match and its repeat, at most: 6 instead of 4 save 0.01 % more.
const GAP_MAX: usize = 4;
/// They and the least repeat, as far as is looked in one go.
const GAP_ROOM: usize = 8;

/// A match: slot and code of its offset, and how far it reaches at most.
#[derive(Clone, Copy)]
struct Found {
    slot: usize,
    code: usize,
    offset: usize,
    length: usize,
}

/// The way through one part.
pub(super) struct Walk<'a> {
    pub(super) nodes: &'a mut Optimal,
    pub(super) window: &'a Window,
    pub(super) cache: &'a MatchCache,
    pub(super) prices: &'a Prices,
    /// Behind the last byte that a match may cover.
    pub(super) match_end: usize,
}

impl Walk<'_> {
    /// Lets the nodes from `from` to `end` offer their tokens. Answers where it stopped: behind the end
    /// if a match that is taken as it is ends there.
    #[inline(never)]
    pub(super) fn run<const CARE: bool>(
        &mut self,
        from: usize,
        end: usize,
        nice_bytes: usize,
    ) -> usize {
        let mut position = from;
        let mut node = self.nodes.at(position);
        while position < end {
            let literal = self.prices.literal[usize::from(self.window.byte(position))];
            let next = self.nodes.offer_literal(position + 1, node.price() + literal);
            let longest = self.node::<CARE>(position, node);
            if longest >= nice_bytes {
                // Nothing that starts inside will be better.
                self.nodes.clear(position + 1..position + longest);
                position += longest;
                node = self.nodes.at(position);
            } else {
                position += 1;
                node = next;
            }
        }
        position
    }

    /// Lets one node offer its matches; returns the longest length.
    #[inline(always)]
    fn node<const CARE: bool>(&mut self, position: usize, node: Node) -> usize {
        let (base, recent) = (node.price(), self.nodes.arrive(position, node));
        let limit = MAX_MATCH.min(self.match_end.saturating_sub(position));
        // At the first position, recent offsets reach before the chunk.
        if limit < 2 || position == Window::START {
            return 1;
        }
        let repeated = self.offer_repeats::<CARE>(position, base, recent, limit);
        self.offer_matches::<CARE>(position, base, limit, repeated)
    }

    /// Matches at recent offsets; returns the longest length.
    #[inline(always)]
    fn offer_repeats<const CARE: bool>(
        &mut self,
        position: usize,
        base: Price,
        recent: Recent,
        limit: usize,
    ) -> usize {
        let next = self.window.load4(position);
        let mut longest = 1;
        for index in 0..3 {
            let offset = recent.get(index);
            let before = self.window.load4(position.wrapping_sub(offset));
            if (before ^ next) << 16 != 0 {
                continue;
            }
            let length = self.window.common(position - offset, position, limit);
            // The same length at an earlier rank is cheaper.
            if length > longest {
                let index = index as usize;
                self.offer_lengths::<CARE>(position, base, index, index, longest + 1, length);
                let found = Found { slot: index, code: index, offset, length };
                self.offer_gap(position, base, found, limit);
                longest = length;
            }
        }
        longest
    }

    /// Other matches, as far as they are longer; returns the longest length.
    #[inline(always)]
    fn offer_matches<const CARE: bool>(
        &mut self,
        position: usize,
        base: Price,
        limit: usize,
        repeated: usize,
    ) -> usize {
        let mut longest = repeated;
        for &found in self.cache.at(position) {
            let length = found.length().min(limit);
            if length > longest {
                let (offset, slot) = (found.offset(), found.slot());
                let (base, code) = (base + self.prices.low_bits(slot, offset), offset + EXPLICIT);
                self.offer_lengths::<CARE>(position, base, slot, code, longest + 1, length);
                self.offer_gap(position, base, Found { slot, code, offset, length }, limit);
                longest = length;
            }
        }
        longest
    }

    /// Offers a match with lengths from `shortest` to `longest`: all of them, or if not thorough
    /// the four shortest and the four longest. To offer all takes a twelfth more time and saves
    /// 0.09 %; those that a recent offset has too would take a fifth more and save 0.03 %.
    #[inline(always)]
    fn offer_lengths<const CARE: bool>(
        &mut self,
        position: usize,
        base: Price,
        slot: usize,
        code: usize,
        shortest: usize,
        longest: usize,
    ) {
        let mut shortest = shortest;
        self.offer_lanes(position, base, slot, code, shortest, longest);
        while shortest + LANES <= longest {
            shortest += LANES;
            if CARE != THOROUGH {
                shortest = shortest.max(longest + 1 - LANES);
            }
            self.offer_lanes(position, base, slot, code, shortest, longest);
        }
    }

    /// Offers a match, a few literals, and what repeats behind them at the same offset, as one step:
    /// programs are full of copies in which a byte or an address differs. The node behind the
    /// literals knows only the recent offsets of its own cheapest path, which often came by another
    /// way. It takes an eighth more time and saves 0.5 %; with one literal only it saves 0.35 %.
    #[inline(always)]
    fn offer_gap(&mut self, position: usize, base: Price, found: Found, limit: usize) {
        let Found { slot, code, offset, length } = found;
        if length + GAP_ROOM > limit {
            return;
        }
        let behind = position + length;
        let difference = self.window.load8(behind) ^ self.window.load8(behind - offset);
        let literals = gap_bytes(difference);
        if literals > GAP_MAX {
            return;
        }
        let behind = behind + literals;
        let most = REPEATED_MAX.min(limit - length - literals);
        let repeated = self.window.common(behind - offset, behind, most);
        let literal = |position| self.prices.literal[usize::from(self.window.byte(position))];
        let of_literals: Price = (behind - literals..behind).map(literal).sum();
        let [of_match, ..] = *self.prices.lengths(slot, length);
        let [of_repeat, ..] = *self.prices.lengths(0, repeated);
        let step = Step::of_match(code, length).then_repeat(literals, repeated);
        self.nodes.offer(behind + repeated, base + of_match + of_literals + of_repeat, step);
    }

    /// Offers as many lengths as there are lanes, up to `longest`.
    #[inline(always)]
    fn offer_lanes(
        &mut self,
        position: usize,
        base: Price,
        slot: usize,
        code: usize,
        shortest: usize,
        longest: usize,
    ) {
        let prices = self.prices.lengths(slot, shortest);
        let step = Step::of_match(code, shortest).0;
        let Some(nodes) = self.nodes.lanes(position + shortest) else { return };
        let last_lane = (longest - shortest) as i64;
        for lane in 0..LANES {
            let outside = ((last_lane - lane as i64) >> 63) as u64;
            nodes[lane].offer(
                base + prices[lane],
                Step(step + ((lane as u32) << LENGTH_SHIFT)),
                outside,
            );
        }
    }
}

/// How many bytes, one at least, come before two equal ones; 8 if there are no such two.
#[inline(always)]
fn gap_bytes(difference: u64) -> usize {
    const LOW_BITS: u64 = u64::MAX / 255 * 0x7f;
    // The highest bit of each byte that differs.
    let unequal = ((difference & LOW_BITS) + LOW_BITS) | difference;
    let pairs = !(unequal | unequal >> 8 | LOW_BITS | 0xff);
    (pairs.trailing_zeros() >> 3) as usize
}

#[cfg(test)]
mod tests {
    use super::gap_bytes;

    #[test]
    fn gaps_end_before_two_equal_bytes() {
        for (difference, expected) in [
            (0, 1),
            (0x00ff, 1),
            (0x0000_0000_0001_0080, 3),
            (0x0000_8000_0000_0001, 1),
            (0x0000_0101_0001_0101, 6),
            (0x8000_0101_0001_0001, 8),
            (u64::MAX, 8),
        ] {
            assert_eq!(gap_bytes(difference), expected, "{difference:#x}");
        }
    }
}
