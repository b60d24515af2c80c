//! `Buckets`: the latest positions by a hash, the latest first.
//!
//! The candidates of a bucket are loaded with one cache line, while those of a chain or a tree wait
//! for each other. An entry has a check of bytes behind its key in the bits that a position leaves
//! free, so that most candidates that are no better need not be looked at, which would be another
//! cache line each.

/// Bits of a position; what is above them is the check.
const POSITION_BITS: u32 = 26;
/// Largest chunk.
pub(super) const CHUNK_MAX_BYTES: u32 = 1 << POSITION_BITS;

/// A position and a check; 0 stands for none, so the first position of a chunk may be forgotten.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry(u32);

impl Entry {
    pub(super) const NONE: Entry = Entry(0);

    /// The check has as many of the low bits of `check` as there is room for.
    #[inline(always)]
    pub(super) fn new(position: usize, check: u32) -> Entry {
        Entry(position as u32 | check << POSITION_BITS)
    }

    #[inline(always)]
    pub(super) fn position(self) -> usize {
        (self.0 & (CHUNK_MAX_BYTES - 1)) as usize
    }

    /// Whether both have the same check.
    #[inline(always)]
    pub(super) fn agrees(self, other: Entry) -> bool {
        (self.0 ^ other.0) >> POSITION_BITS == 0
    }
}

const LINE_ENTRIES: usize = 16;

/// One cache line.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line([Entry; LINE_ENTRIES]);

const EMPTY: Line = Line([Entry::NONE; LINE_ENTRIES]);

/// Buckets of `WAYS` entries.
pub(super) struct Buckets<const WAYS: usize> {
    lines: Vec<Line>,
    bits: u32,
}

impl<const WAYS: usize> Buckets<WAYS> {
    const PER_LINE: usize = LINE_ENTRIES / WAYS;

    /// 2 to the power of `bits` buckets.
    pub(super) fn new(bits: u32) -> Self {
        const { assert!(LINE_ENTRIES.is_multiple_of(WAYS)) };
        Buckets { lines: vec![EMPTY; (1 << bits) / Self::PER_LINE], bits }
    }

    pub(super) fn clear(&mut self) {
        self.lines.fill(EMPTY);
    }

    #[inline(always)]
    fn index(&self, hash: u64) -> usize {
        (hash >> (64 - self.bits)) as usize
    }

    /// Loads a bucket into the cache; the result is to be used somehow, lest it be left out.
    #[inline(always)]
    pub(super) fn touch(&self, hash: u64) -> bool {
        self.lines[self.index(hash) / Self::PER_LINE].0[0] == Entry::NONE
    }

    /// The bucket as it was, and the entry put in front of it.
    #[inline(always)]
    pub(super) fn replace(&mut self, hash: u64, entry: Entry) -> [Entry; WAYS] {
        let index = self.index(hash);
        let start = index % Self::PER_LINE * WAYS;
        let bucket = &mut self.lines[index / Self::PER_LINE].0[start..start + WAYS];
        let mut before = [entry; WAYS];
        before.copy_from_slice(bucket);
        // Whole copies, which become vectors.
        let mut after = [entry; WAYS];
        after[1..].copy_from_slice(&before[..WAYS - 1]);
        bucket.copy_from_slice(&after);
        before
    }
}

#[cfg(test)]
mod tests {
    use super::{Buckets, Entry};

    #[test]
    fn a_bucket_keeps_the_latest_entries() {
        let mut buckets = Buckets::<4>::new(6);
        let hash = 0xabcd << 48;
        for position in 1..=6 {
            buckets.replace(hash, Entry::new(position, position as u32 + 64));
        }
        let bucket = buckets.replace(hash, Entry::NONE);
        assert_eq!(bucket.map(Entry::position), [6, 5, 4, 3]);
        assert!(bucket[0].agrees(Entry::new(9, 6)) && !bucket[0].agrees(Entry::new(6, 5)));
        assert!(buckets.replace(!hash, Entry::NONE) == [Entry::NONE; 4]);
        buckets.clear();
        assert!(buckets.replace(hash, Entry::NONE) == [Entry::NONE; 4]);
    }
}
