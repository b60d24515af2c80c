//! `Walk`: the nodes of one part offer their tokens, from the first to the last.
//!
//! Most of the time of the levels above fast goes by here.

use super::optimal::{EXPLICIT, LENGTH_SHIFT, LITERAL, NODE_MASK, Optimal, Recent, Step};
use super::prices::{LANES, Price, Prices, UNREACHED};
use super::token::MAX_MATCH;
use crate::codec::match_cache::MatchCache;
use crate::codec::window::Window;

/// A sketch passes over nodes that are this much dearer than one behind them, 8 bits: a twentieth
/// less time for 0.01 % of the size. In a final pass it costs much more, as what is dear may have
/// the better recent offsets.
const SKETCH_SLACK: Price = 8 << 8;

/// How many offers are made. A sketch offers the longest matches only, as long as they are: what
/// it finds is dearer by 3 %, but the symbols occur about as often.
pub(super) const SKETCH: u8 = 0;
/// What one offset offers, those that cost more do not offer too.
pub(super) const QUICK: u8 = 1;
pub(super) const THOROUGH: u8 = 2;

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
    /// Lets all nodes offer their tokens.
    #[inline(never)]
    pub(super) fn run<const CARE: u8>(&mut self, from: usize, end: usize, nice_bytes: usize) {
        let mut position = from;
        let (mut far_end, mut far_price) = (0, 0);
        while position < end {
            let base = self.nodes.prices[position & NODE_MASK];
            if CARE == SKETCH && position < far_end && base >= far_price + SKETCH_SLACK {
                position += 1;
                continue;
            }
            let longest = self.node::<CARE>(position, base);
            if CARE == SKETCH && position + longest > far_end {
                far_end = position + longest;
                far_price = self.nodes.prices[far_end & NODE_MASK];
            }
            if longest >= nice_bytes {
                // Nothing that starts inside will be better.
                self.nodes.prices[position + 1..position + longest].fill(UNREACHED);
                position += longest;
            } else {
                position += 1;
            }
        }
    }

    /// Lets one node offer; returns the longest length.
    #[inline(always)]
    fn node<const CARE: u8>(&mut self, position: usize, base: Price) -> usize {
        let recent = self.nodes.arrive(position);
        let literal = self.prices.literal[usize::from(self.window.byte(position))];
        self.nodes.offer(position + 1, base + literal, LITERAL);
        let limit = MAX_MATCH.min(self.match_end.saturating_sub(position));
        // At the first position, recent offsets reach before the chunk.
        if limit < 2 || position == Window::START {
            return 1;
        }
        let repeated = self.offer_repeats::<CARE>(position, base, recent, limit);
        match CARE {
            SKETCH => self.offer_longest(position, base, limit, repeated),
            _ => self.offer_matches::<CARE>(position, base, limit, repeated),
        }
    }

    /// Matches at recent offsets; returns the longest length.
    #[inline(always)]
    fn offer_repeats<const CARE: u8>(
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
            if length > longest || CARE == THOROUGH {
                let shortest = match CARE {
                    SKETCH => length,
                    QUICK => longest + 1,
                    _ => 2,
                };
                let index = index as usize;
                self.offer_lengths::<CARE>(position, base, index, index, shortest, length);
                longest = longest.max(length);
            }
        }
        longest
    }

    /// Other matches, as far as they are longer; returns the longest length.
    #[inline(always)]
    fn offer_matches<const CARE: u8>(
        &mut self,
        position: usize,
        base: Price,
        limit: usize,
        repeated: usize,
    ) -> usize {
        let mut longest = if CARE == THOROUGH { 1 } else { repeated };
        for &found in self.cache.at(position) {
            let length = found.length().min(limit);
            if length > longest {
                let (offset, slot) = (found.offset(), found.class());
                let (base, code) = (base + self.prices.low_bits(slot, offset), offset + EXPLICIT);
                self.offer_lengths::<CARE>(position, base, slot, code, longest + 1, length);
                longest = length;
            }
        }
        longest.max(repeated)
    }

    /// The longest other match, if it is longer; returns the longest length.
    #[inline(always)]
    fn offer_longest(
        &mut self,
        position: usize,
        base: Price,
        limit: usize,
        repeated: usize,
    ) -> usize {
        let Some(&found) = self.cache.at(position).last() else { return repeated };
        let length = found.length().min(limit);
        if length <= repeated {
            return repeated;
        }
        let (offset, slot) = (found.offset(), found.class());
        let base = base + self.prices.low_bits(slot, offset);
        self.offer_lengths::<SKETCH>(position, base, slot, offset + EXPLICIT, length, length);
        length
    }

    /// Offers a match with lengths from `shortest` to `longest`: all of them, or if not thorough
    /// the four shortest and the four longest. To offer all, and those that a recent offset has
    /// too, takes a fifth more time and saves 0.1 %.
    #[inline(always)]
    fn offer_lengths<const CARE: u8>(
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
        let at = (position + shortest) & NODE_MASK;
        let Some(nodes) = self.nodes.prices[at..].first_chunk_mut::<LANES>() else { return };
        let Some(steps) = self.nodes.steps[at..].first_chunk_mut::<LANES>() else { return };
        let last_lane = (longest - shortest) as i32;
        // Arithmetic instead of comparisons: vector units do it for all lanes at once.
        let (mut new_prices, mut new_steps) = (*nodes, steps.map(|step| step.0));
        for lane in 0..LANES {
            let price = base + prices[lane];
            let is_cheaper = (price as i32 - new_prices[lane] as i32) >> 31;
            let is_inside = (lane as i32 - 1 - last_lane) >> 31;
            let mask = (is_cheaper & is_inside) as u32;
            let step = step + ((lane as u32) << LENGTH_SHIFT);
            new_prices[lane] = price & mask | new_prices[lane] & !mask;
            new_steps[lane] = step & mask | new_steps[lane] & !mask;
        }
        *nodes = new_prices;
        *steps = new_steps.map(Step);
    }
}
