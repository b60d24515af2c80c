//! `DeltaFinder`: where bytes changed as they change now. Counters, tables of records and sound
//! repeat their differences, not their bytes.

use super::buckets::Entry;
use super::model::{DELTA_POWERS, Delta};
use super::window::Window;
use crate::codec::equal_length::equal_length;

/// Shortest match that is looked for: an explicit one takes three symbols.
pub(super) const MIN_DELTA: u32 = 3;
/// Entries of all powers together: 128 KiB, which stay in the second-level cache. Differences that
/// repeat do so soon: thirty times as many entries gain 0.03 %.
const TABLE_BITS: u32 = 15;
/// Matches that are kept of one position.
const KEPT: usize = 2;
const PRIME: u64 = 0x9e37_79b9_7f4a_7c15;

/// A delta match of a length; 0 means none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DeltaMatch {
    pub(super) length: u32,
    pub(super) delta: Delta,
}

/// The longest first.
pub(super) type DeltaMatches = [DeltaMatch; KEPT];

pub(super) const NO_DELTAS: DeltaMatches =
    [DeltaMatch { length: 0, delta: Delta { power: 0, raw_offset: 1 } }; KEPT];

/// The latest position by span and the hash of the differences to the bytes one span before.
pub(super) struct DeltaFinder {
    entries: Box<[Entry; 1 << TABLE_BITS]>,
}

impl DeltaFinder {
    pub(super) fn new() -> DeltaFinder {
        DeltaFinder { entries: crate::codec::boxed_array(Entry::NONE) }
    }

    pub(super) fn clear(&mut self) {
        self.entries.fill(Entry::NONE);
    }

    /// Remembers a position; returns the longest matches there.
    #[inline(always)]
    pub(super) fn search(&mut self, window: &Window, position: usize) -> DeltaMatches {
        let mut found = NO_DELTAS;
        let here = window.load8(position);
        for power in 0..DELTA_POWERS as u32 {
            let span = 1 << power;
            if position < span {
                break;
            }
            // Of the first three bytes; if they are all 0, the bytes themselves repeat.
            let steps = subtract(here, window.load8(position - span)) << 40;
            if steps == 0 {
                continue;
            }
            let latest = self.replace(steps, power, position);
            if let Some(new) = latest.and_then(|from| match_at(window, position, from, power)) {
                insert(&mut found, new);
            }
        }
        found
    }

    /// The latest position with these differences, if there is one.
    #[inline(always)]
    fn replace(&mut self, steps: u64, power: u32, position: usize) -> Option<usize> {
        // An offset is a multiple of the span: positions of other phases are no candidates.
        let phase = position as u64 & ((1 << power) - 1);
        let hash = (steps | phase << 4 | u64::from(power)).wrapping_mul(PRIME);
        let entry = Entry::new(position, (hash >> 20) as u32);
        let place = &mut self.entries[(hash >> (64 - TABLE_BITS)) as usize];
        let latest = std::mem::replace(place, entry);
        (latest != Entry::NONE && latest.agrees(entry)).then_some(latest.position())
    }
}

/// The match of differences at two positions, if there is one.
#[inline(always)]
fn match_at(window: &Window, position: usize, from: usize, power: u32) -> Option<DeltaMatch> {
    let (span, offset) = (1 << power, position - from);
    if from < span || offset == 0 || offset & (span - 1) != 0 {
        return None;
    }
    let length = common(window, position, offset, span, window.end() - position) as u32;
    let delta = Delta { power, raw_offset: (offset >> power) as u32 };
    (length >= MIN_DELTA).then_some(DeltaMatch { length, delta })
}

#[inline(always)]
fn insert(found: &mut DeltaMatches, new: DeltaMatch) {
    let [first, second] = *found;
    if new.length > first.length {
        *found = [new, first];
    } else if new.length > second.length {
        *found = [first, new];
    }
}

/// How many bytes from `position` on differ from those one span before as those `offset` before
/// do, up to `limit`, which ends in the chunk; `offset + span` is at most `position`.
#[inline(always)]
pub(super) fn common(
    window: &Window,
    position: usize,
    offset: usize,
    span: usize,
    limit: usize,
) -> usize {
    equal_length(limit, |at| {
        let at = position + at;
        let here = subtract(window.load8(at), window.load8(at - span));
        let there = subtract(window.load8(at - offset), window.load8(at - offset - span));
        here ^ there
    })
}

/// Differences of eight bytes: borrows stay in their byte, as its top bit is computed apart.
#[inline(always)]
fn subtract(left: u64, right: u64) -> u64 {
    const TOP: u64 = 0x8080_8080_8080_8080;
    ((left | TOP) - (right & !TOP)) ^ ((left ^ !right) & TOP)
}

#[cfg(test)]
mod tests {
    use super::{DeltaFinder, subtract};
    use crate::codec::lzms::model::Delta;
    use crate::codec::lzms::window::Window;

    #[test]
    fn bytes_are_subtracted_each_for_itself() {
        let (left, right) = ([0, 1, 2, 255, 128, 127, 0, 9], [1, 1, 255, 0, 127, 128, 128, 8]);
        let expected: [u8; 8] = std::array::from_fn(|i| u8::wrapping_sub(left[i], right[i]));
        let found = subtract(u64::from_le_bytes(left), u64::from_le_bytes(right));
        assert_eq!(found.to_le_bytes(), expected);
    }

    #[test]
    fn counters_are_found() {
        let counters: Vec<u8> = (0..64_u32).flat_map(|i| (i * 0x0101_0307).to_le_bytes()).collect();
        let mut window = Window::new();
        window.load(&counters);
        let mut finder = DeltaFinder::new();
        let found: Vec<_> = (0..64).map(|at| finder.search(&window, at)[0]).collect();
        assert_eq!(found[8].delta, Delta { power: 2, raw_offset: 1 });
        assert_eq!(found[7].length, 0);
    }
}
