//! `Finder`: where in a chunk of up to 64 MiB the same bytes stood before.
//!
//! Tables by keys of several lengths: short keys find near matches, long keys far ones, which is
//! how matches are worth their offsets. Nothing is complete: a tree or a suffix array of 64 MiB
//! would take 512 MB, these tables take 64, for 1 % of size.

use std::ops::Range;

use super::buckets::{Buckets, Entry};
use super::delta::{DeltaFinder, DeltaMatches, NO_DELTAS};
use super::level::Settings;
use super::window::Window;

/// Matches that are kept of one position; there are seldom more lengths worth telling apart.
pub(super) const MATCHES_MAX: usize = 12;
/// Positions that are searched before they are weighed: with four times as many, prices get old,
/// with a quarter, too many segments end at a batch's end. Both cost 0.05 %.
pub(super) const BATCH: usize = 1024;
/// Positions whose buckets are loaded into the cache together: about as many loads as can be under
/// way at once.
const TOUCHED: usize = 16;

/// Key lengths in bytes.
const PAIR: usize = 2;
const TINY: usize = 3;
const SHORT: usize = 4;
const MIDDLE: usize = 7;
const LONG: usize = 16;

/// Buckets of two bytes, one each, and of three. As matches this short must be near to be worth
/// their offset, these are single entries, in the second-level cache. Pairs are worth 0.2 % in a
/// large chunk, 0.4 % in one of 128 KiB; four times as many buckets of three bytes 0.03 %.
const PAIR_BITS: u32 = 16;
const TINY_BITS: u32 = 15;
/// Inside a match that was taken, one of so many positions goes into the table of long keys. Who
/// finds the copy later than where it begins extends it backward.
const SKIPPED_LONG: usize = 4;
/// In noise a lookup would take most of the time. A copy is found this many bytes late on average,
/// which is little of a copied file.
const NOISE_SAMPLING: u64 = 16;
/// An odd number near the golden ratio of 2^64.
const PRIME: u64 = 0x9e37_79b9_7f4a_7c15;

/// A match: how many bytes repeat those `offset` bytes before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Match {
    pub(super) length: u32,
    pub(super) offset: u32,
}

/// Matches of one position, longer ones farther away.
#[derive(Clone, Copy)]
pub(super) struct Matches {
    count: u32,
    list: [Match; MATCHES_MAX],
}

impl Matches {
    const NONE: Matches = Matches { count: 0, list: [Match { length: 0, offset: 0 }; MATCHES_MAX] };

    pub(super) fn as_slice(&self) -> &[Match] {
        &self.list[..self.count as usize]
    }

    pub(super) fn longest(&self) -> Match {
        self.as_slice().last().copied().unwrap_or_default()
    }

    /// Adds one that is longer than all; if there is no room, in place of the longest.
    #[inline(always)]
    fn push(&mut self, length: u32, offset: u32) {
        let index = (self.count as usize).min(MATCHES_MAX - 1);
        self.list[index] = Match { length, offset };
        self.count = index as u32 + 1;
    }
}

/// Hashes of a position's first bytes, and of bytes behind each key as its check.
#[derive(Clone, Copy, Default)]
struct Keys {
    pair: u64,
    tiny: u64,
    short: u64,
    short_check: u32,
    middle: u64,
    middle_check: u32,
    long: u64,
    long_check: u32,
}

impl Keys {
    #[inline(always)]
    fn at(window: &Window, position: usize) -> Keys {
        let first = window.load8(position);
        let second = window.load8(position + 8);
        let check = |bits: u64| (bits.wrapping_mul(PRIME) >> 58) as u32;
        let long = (first.wrapping_mul(PRIME) ^ second).wrapping_mul(PRIME);
        Keys {
            pair: (first << 48).wrapping_mul(PRIME),
            tiny: (first << 40).wrapping_mul(PRIME),
            short: (first << 32).wrapping_mul(PRIME),
            short_check: check(first >> 32 & 0xffff),
            middle: (first << 8).wrapping_mul(PRIME),
            middle_check: check(first >> 56 | second << 56),
            long,
            // The key itself: what lies behind sixteen equal bytes is equal more often than not.
            long_check: long as u32,
        }
    }
}

/// A search at one position.
struct Search<'a> {
    window: &'a Window,
    position: usize,
    limit: usize,
    /// The length to exceed.
    best: usize,
    found: Matches,
}

impl<'a> Search<'a> {
    #[inline(always)]
    fn new(window: &'a Window, position: usize, best: usize) -> Search<'a> {
        let limit = window.end() - position;
        Search { window, position, limit, best, found: Matches::NONE }
    }

    /// Looks at the candidates of a bucket that agree in what is behind the key, and at the latest
    /// one as long as nothing of the key's length is found.
    #[inline(always)]
    fn scan(&mut self, bucket: &[Entry], like: Entry, key_bytes: usize) {
        for (index, &entry) in bucket.iter().enumerate() {
            if entry == Entry::NONE {
                break;
            }
            if !entry.agrees(like) && (index > 0 || self.best >= key_bytes) {
                continue;
            }
            let candidate = entry.position();
            if candidate == self.position {
                // It was searched before, as the one behind another.
                continue;
            }
            let length = self.window.common(candidate, self.position, self.limit);
            if length > self.best {
                self.best = length;
                self.found.push(length as u32, (self.position - candidate) as u32);
            }
        }
    }
}

/// The tables of a chunk, and what was found last.
pub(super) struct Finder {
    pair: Buckets<1>,
    tiny: Buckets<1>,
    short: Buckets<8>,
    middle: Buckets<16>,
    long: Buckets<4>,
    delta: DeltaFinder,
    nice_length: u32,
    depth: usize,
    keys: [Keys; TOUCHED],
    found: Vec<Matches>,
    found_deltas: Vec<DeltaMatches>,
}

impl Finder {
    pub(super) fn new(chunk_bytes: u32, settings: &Settings) -> Finder {
        // Small chunks have some entries per position, as several keys share a bucket: a quarter
        // as many cost 0.1 % of chunks of 128 KiB. Tables beyond that only take time to clear.
        let order = chunk_bytes.ilog2();
        let [short, middle, long] = settings.bucket_bits;
        Finder {
            pair: Buckets::new(PAIR_BITS),
            tiny: Buckets::new(TINY_BITS),
            short: Buckets::new((order - 1).min(short)),
            middle: Buckets::new((order - 2).min(middle)),
            long: Buckets::new((order - 1).min(long)),
            delta: DeltaFinder::new(),
            nice_length: settings.nice_length,
            depth: settings.depth,
            keys: [Keys::default(); TOUCHED],
            found: vec![Matches::NONE; BATCH],
            found_deltas: vec![NO_DELTAS; BATCH],
        }
    }

    pub(super) fn clear(&mut self) {
        self.pair.clear();
        self.tiny.clear();
        self.short.clear();
        self.middle.clear();
        self.long.clear();
        self.delta.clear();
    }

    pub(super) fn nice_length(&self) -> u32 {
        self.nice_length
    }

    /// Matches of a position of the last batch.
    #[inline(always)]
    pub(super) fn found(&self, index: usize) -> &Matches {
        &self.found[index]
    }

    #[inline(always)]
    pub(super) fn found_deltas(&self, index: usize) -> &DeltaMatches {
        &self.found_deltas[index]
    }

    /// Searches from `start` on, until `end` or a nice match; returns where the batch ends, which
    /// is behind that match's position.
    pub(super) fn search(&mut self, window: &Window, start: usize, end: usize) -> usize {
        let end = end.min(start + BATCH);
        let mut position = start;
        while position < end {
            let group = position..end.min(position + TOUCHED);
            self.load_keys(window, group.clone());
            for at in group.clone() {
                let matches = self.search_at(window, at, self.keys[at - group.start]);
                self.found[at - start] = matches;
                self.found_deltas[at - start] = self.delta.search(window, at);
                if matches.longest().length >= self.nice_length {
                    self.extend_backward(window, start, at);
                    return at + 1;
                }
            }
            position = group.end;
        }
        self.extend_backward(window, start, end - 1);
        end
    }

    /// Computes the keys of positions and loads their buckets, which are all over the memory.
    #[inline(always)]
    fn load_keys(&mut self, window: &Window, group: Range<usize>) {
        let mut touched = false;
        for (keys, at) in self.keys.iter_mut().zip(group) {
            *keys = Keys::at(window, at);
            touched |= self.short.touch(keys.short);
            touched |= self.middle.touch(keys.middle);
            touched |= self.long.touch(keys.long);
        }
        std::hint::black_box(touched);
    }

    /// Remembers a position and returns the matches there.
    #[inline(always)]
    fn search_at(&mut self, window: &Window, position: usize, keys: Keys) -> Matches {
        let mut search = Search::new(window, position, PAIR - 1);
        let entry = Entry::new(position, 0);
        search.scan(&self.pair.replace(keys.pair, entry), entry, PAIR);
        search.scan(&self.tiny.replace(keys.tiny, entry), entry, TINY);
        let entry = Entry::new(position, keys.short_check);
        let bucket = self.short.replace(keys.short, entry);
        search.scan(&bucket[..bucket.len().min(self.depth)], entry, SHORT);
        let entry = Entry::new(position, keys.middle_check);
        let bucket = self.middle.replace(keys.middle, entry);
        search.scan(&bucket[..bucket.len().min(self.depth)], entry, MIDDLE);
        let entry = Entry::new(position, keys.long_check);
        search.scan(&self.long.replace(keys.long, entry), entry, LONG);
        search.found
    }

    /// Remembers a position and returns the longest match there.
    #[inline]
    pub(super) fn longest_at(&mut self, window: &Window, position: usize) -> Match {
        self.search_at(window, position, Keys::at(window, position)).longest()
    }

    /// The same in noise, where only copies of other noise are worth finding: at one of
    /// [`NOISE_SAMPLING`] positions, chosen by content, so that those of a copy are its original's.
    #[inline]
    pub(super) fn longest_in_noise(&mut self, window: &Window, position: usize) -> Match {
        let sample = window.load8(position).wrapping_mul(PRIME) >> 40;
        if !sample.is_multiple_of(NOISE_SAMPLING) {
            return Match::default();
        }
        let keys = Keys::at(window, position);
        let mut search = Search::new(window, position, LONG - 1);
        let entry = Entry::new(position, keys.long_check);
        search.scan(&self.long.replace(keys.long, entry), entry, LONG);
        search.found.longest()
    }

    /// Remembers positions inside a match that was taken.
    pub(super) fn skip(&mut self, window: &Window, positions: Range<usize>) {
        for position in positions {
            let keys = Keys::at(window, position);
            self.pair.replace(keys.pair, Entry::new(position, 0));
            self.tiny.replace(keys.tiny, Entry::new(position, 0));
            self.short.replace(keys.short, Entry::new(position, keys.short_check));
            self.middle.replace(keys.middle, Entry::new(position, keys.middle_check));
            if position.is_multiple_of(SKIPPED_LONG) {
                self.long.replace(keys.long, Entry::new(position, keys.long_check));
            }
        }
    }

    /// A match that begins earlier than it was found may be longer than what was found there.
    fn extend_backward(&mut self, window: &Window, start: usize, last: usize) {
        for position in (start..last).rev() {
            let index = position - start;
            let Match { length, offset } = self.found[index + 1].longest();
            let is_longer = length > 0 && length >= self.found[index].longest().length;
            let offset_bytes = offset as usize;
            if is_longer
                && position >= offset_bytes
                && window.byte(position) == window.byte(position - offset_bytes)
            {
                self.found[index].push(length + 1, offset);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Finder, Match};
    use crate::codec::Level;
    use crate::codec::lzms::level::Settings;
    use crate::codec::lzms::window::Window;

    fn finder() -> Finder {
        Finder::new(1 << 15, &Settings::of(Level::Default))
    }

    fn window(bytes: &[u8]) -> Window {
        let mut window = Window::new();
        window.load(bytes);
        window
    }

    #[test]
    fn longer_matches_are_farther_away() {
        let window = window(b"-abcdefgh-abcde-abc-abcdefgh");
        let mut finder = finder();
        assert_eq!(finder.search(&window, 0, window.end()), window.end());
        let found = finder.found(20).as_slice();
        let expected = [(3, 4), (5, 10), (8, 19)];
        assert_eq!(found, expected.map(|(length, offset)| Match { length, offset }));
        let longest = finder.found(19).longest();
        assert_eq!(longest, Match { length: 9, offset: 19 });
    }

    #[test]
    fn a_nice_match_ends_a_batch() {
        let bytes: Vec<u8> = (0..200_u8).chain(0..200).collect();
        let window = window(&bytes);
        let mut finder = finder();
        assert_eq!(finder.search(&window, 0, window.end()), 201);
        assert_eq!(finder.found(200).longest(), Match { length: 200, offset: 200 });
    }
}
