//! `Nearest`: for each position of a chunk, the nearest place before it that begins with the same
//! few bytes, for each of several numbers of bytes.
//!
//! So matches of few bytes are known without a search, and the chain of those that are longer has
//! no other candidates: far more is found than in a chain by four bytes, of the same depth.

use super::match_cache::{Cached, MatchCache, Search};
use super::token::MAX_MATCH;
use crate::codec::boxed_array;
use crate::codec::window::Window;

/// Matches of so many bytes have a table each, without a search. Without the last one, level max is
/// 0.04 % larger and takes 3 % less time; with 3, 4 and 6 only, 0.2 % larger.
const TABLES: [usize; 5] = [3, 4, 5, 6, 7];
/// Those of so many bytes and more are a chain.
const CHAINED_BYTES: usize = 8;
/// Matches of two bytes pay if they are no farther than this.
const NEAR_BYTES: usize = 256;
/// Buckets by the hash of the first bytes: as many as a chunk of 32 KiB has positions.
const HASH_BITS: u32 = 15;

const POSITIONS: usize = 1 << 16;
type Positions = [u16; POSITIONS];

/// Positions of a chunk by their first bytes. 0 means none.
pub(super) struct Nearest {
    head: Box<[u16; 1 << HASH_BITS]>,
    head2: Box<Positions>,
    /// By position: the one before with the same two bytes.
    previous2: Box<Positions>,
    /// By table and position: the one before with the same hash.
    previous: [Box<Positions>; TABLES.len()],
    chain: Box<Positions>,
}

impl Nearest {
    pub(super) fn new() -> Nearest {
        Nearest {
            head: boxed_array(0),
            head2: boxed_array(0),
            previous2: boxed_array(0),
            previous: TABLES.map(|_| boxed_array(0)),
            chain: boxed_array(0),
        }
    }

    /// Finds all matches of a window, but none that starts in its last bytes.
    pub(super) fn fill(&mut self, window: &Window, search: Search, cache: &mut MatchCache) {
        self.link(window);
        cache.fill(window, search.nice_bytes, CHAINED_BYTES, |cache, position| {
            self.find(window, position, search.depth, cache)
        });
    }

    /// Table by table: so one set of buckets at a time is in the fastest cache.
    fn link(&mut self, window: &Window) {
        self.head2.fill(0);
        let positions = Window::START..window.end().min(POSITIONS);
        for position in positions.clone() {
            let head = &mut self.head2[window.load4(position) as usize & 0xffff];
            self.previous2[position] = std::mem::replace(head, position as u16);
        }
        let tables = self.previous.iter_mut().zip(TABLES);
        for (previous, bytes) in tables.chain([(&mut self.chain, CHAINED_BYTES)]) {
            self.head.fill(0);
            let others = 64 - 8 * bytes;
            for position in positions.clone() {
                let head = &mut self.head[hash(window.load8(position) << others)];
                previous[position] = std::mem::replace(head, position as u16);
            }
        }
    }

    /// Adds the matches at a position; returns the longest length.
    #[inline(always)]
    fn find(&self, window: &Window, position: usize, depth: u32, cache: &mut MatchCache) -> usize {
        let position = position & (POSITIONS - 1);
        let near = position - usize::from(self.previous2[position]);
        let is_short = self.previous2[position] != self.previous[0][position];
        let is_near = near < NEAR_BYTES.min(position);
        cache.push_if(is_short & is_near, Cached::new(2, near));
        // Without branches: which of the tables know more is hard to predict.
        let bytes = window.load8(position);
        let mut longest = 2;
        for previous in &self.previous {
            let candidate = usize::from(previous[position]);
            let difference = window.load8(candidate) ^ bytes;
            let length = ((difference | 1 << 63).trailing_zeros() >> 3) as usize;
            let is_longer = (length > longest) & (difference != 0) & (candidate != 0);
            cache.push_if(is_longer, Cached::new(length, position - candidate));
            longest = if is_longer { length } else { longest };
        }
        match self.chain[position] {
            0 => longest,
            nearest => self.follow(window, position, nearest, depth, cache).max(longest),
        }
    }

    /// Adds the matches of the chain; returns the longest length, 0 without any.
    #[inline(always)]
    fn follow(
        &self,
        window: &Window,
        position: usize,
        nearest: u16,
        depth: u32,
        cache: &mut MatchCache,
    ) -> usize {
        let limit = MAX_MATCH.min(window.match_end() - position);
        let (mut candidate, mut longest) = (nearest, 0);
        let mut reach = CHAINED_BYTES - 1;
        let mut last = window.load4(position + reach - 3);
        for _ in 0..depth {
            let at = usize::from(candidate);
            if window.load4(at + reach - 3) == last {
                let length = window.common(at, position, limit);
                if length > reach {
                    cache.push_if(true, Cached::new(length, position - at));
                    longest = length;
                    if length >= limit {
                        break;
                    }
                    reach = length;
                    last = window.load4(position + reach - 3);
                }
            }
            candidate = self.chain[at];
            if candidate == 0 {
                break;
            }
        }
        longest
    }
}

/// The top bits of a product with the golden ratio.
#[inline(always)]
fn hash(bytes: u64) -> usize {
    (bytes.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - HASH_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::Nearest;
    use crate::codec::lzx::match_cache::{MatchCache, Search};
    use crate::codec::window::Window;

    const SEARCH: Search = Search { depth: 1000, nice_bytes: 500 };

    /// Words in an order that repeats only in part.
    fn words(count: usize) -> Vec<u8> {
        let words = ["push ", "pop ", "move ", "movement ", "pushed ", "return ", "a"];
        let mut state = 1_u32;
        let next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            words[(state >> 20) as usize % words.len()]
        };
        std::iter::repeat_with(next).take(count).collect::<String>().into_bytes()
    }

    /// How many bytes repeat those `offset` before.
    fn length(bytes: &[u8], position: usize, offset: usize) -> usize {
        let pairs = bytes[position..].iter().zip(&bytes[position - offset..]).take(257);
        pairs.take_while(|(left, right)| left == right).count()
    }

    /// Offset and length of the nearest match of each length that one has.
    fn all_matches(bytes: &[u8], position: usize) -> Vec<(usize, usize)> {
        let mut found: Vec<(usize, usize)> = Vec::new();
        for offset in 1..=position {
            let length = length(bytes, position, offset);
            if length > found.last().map_or(1, |last| last.1) && (length > 2 || offset < 256) {
                found.push((offset, length));
            }
        }
        found
    }

    #[test]
    fn the_nearest_match_of_each_length_is_found() {
        let bytes = words(400);
        let (mut window, mut cache) = (Window::new(), MatchCache::new());
        window.load(&bytes);
        Nearest::new().fill(&window, SEARCH, &mut cache);
        let mut missed = 0;
        for position in 0..bytes.len() - 7 {
            let found = cache.at(Window::START + position).iter();
            let found: Vec<_> = found.map(|found| (found.offset(), found.length())).collect();
            assert!(found.iter().all(|&(offset, reach)| length(&bytes, position, offset) == reach));
            assert!(found.is_sorted_by(|left, right| left.1 < right.1));
            missed += usize::from(found != all_matches(&bytes, position));
        }
        // Where another beginning has the same hash.
        assert!(missed * 100 < bytes.len(), "{missed} of {}", bytes.len());
        assert!(cache.at(window.end() - 7).is_empty());
    }
}
