//! Slots: how lengths and offsets are divided into a Huffman symbol and extra bits.

use crate::codec::boxed_array;

/// Symbols of lengths.
pub(super) const LENGTH_SLOTS: usize = 54;
/// Symbols of offsets in the largest chunk; smaller chunks use the first ones only.
pub(super) const MAX_OFFSET_SLOTS: usize = 799;

/// How many consecutive slots have how many extra bits: (extra bits, slots).
const LENGTH_RUNS: [(u8, usize); 13] = [
    (0, 26),
    (1, 4),
    (2, 6),
    (3, 4),
    (4, 5),
    (5, 2),
    (6, 1),
    (7, 1),
    (8, 1),
    (9, 1),
    (10, 1),
    (16, 1),
    (30, 1),
];
const OFFSET_RUNS: [(u8, usize); 21] = [
    (0, 8),
    (2, 9),
    (3, 7),
    (4, 10),
    (5, 15),
    (6, 15),
    (7, 20),
    (8, 20),
    (9, 30),
    (10, 33),
    (11, 40),
    (12, 42),
    (13, 45),
    (14, 60),
    (15, 73),
    (16, 80),
    (17, 85),
    (18, 95),
    (19, 105),
    (20, 6),
    (30, 1),
];

pub(super) static LENGTHS: Slots<LENGTH_SLOTS> = Slots::new(&LENGTH_RUNS);
pub(super) static OFFSETS: Slots<MAX_OFFSET_SLOTS> = Slots::new(&OFFSET_RUNS);

/// A division of the numbers from 1 on.
pub(super) struct Slots<const N: usize> {
    /// By slot: its first number.
    pub(super) base: [u32; N],
    /// By slot: how many bits select a number of it.
    pub(super) extra_bits: [u8; N],
}

impl<const N: usize> Slots<N> {
    const fn new(runs: &[(u8, usize)]) -> Slots<N> {
        let mut slots = Slots { base: [0; N], extra_bits: [0; N] };
        let (mut run, mut slot, mut next) = (0, 0, 1_u32);
        while run < runs.len() {
            let (extra_bits, count) = runs[run];
            let end = slot + count;
            while slot < end {
                slots.base[slot] = next;
                slots.extra_bits[slot] = extra_bits;
                next = next.wrapping_add(1 << extra_bits);
                slot += 1;
            }
            run += 1;
        }
        assert!(slot == N);
        slots
    }

    /// The slot of a number from 1 on.
    pub(super) fn slot_of(&self, number: u32) -> usize {
        self.base.partition_point(|&base| base <= number).saturating_sub(1)
    }
}

/// How many numbers per power of two [`SlotIndex`] starts a search at.
const CELLS: u32 = 64;

/// Finds slots of offsets quickly: a table by the leading bits of a number, then a step or two.
pub(super) struct SlotIndex {
    /// By the cell of a number: the slot of the first number in it.
    first: Box<[u16; (32 * CELLS) as usize]>,
}

impl SlotIndex {
    pub(super) fn new() -> SlotIndex {
        let mut first = boxed_array(0);
        for cell in 0..32 * CELLS {
            let (order, high) = (cell / CELLS, u64::from(CELLS + cell % CELLS));
            let number = (high << order) >> CELLS.ilog2();
            first[cell as usize] = OFFSETS.slot_of(number.max(1) as u32) as u16;
        }
        SlotIndex { first }
    }

    /// The slot of an offset of at most 64 MiB.
    #[inline(always)]
    pub(super) fn slot_of(&self, offset: u32) -> usize {
        let order = offset.ilog2();
        let high = ((u64::from(offset) << CELLS.ilog2()) >> order) as u32 % CELLS;
        let mut slot =
            usize::from(self.first[(order * CELLS + high) as usize % (32 * CELLS as usize)]);
        while slot + 1 < MAX_OFFSET_SLOTS && OFFSETS.base[slot + 1] <= offset {
            slot += 1;
        }
        slot
    }
}

/// How many offset symbols a chunk of this size has.
pub(super) fn offset_slots(chunk_size_bytes: usize) -> usize {
    let largest_offset = u32::try_from(chunk_size_bytes.saturating_sub(1)).unwrap_or(u32::MAX);
    OFFSETS.slot_of(largest_offset) + 1
}

#[cfg(test)]
mod tests {
    use super::{LENGTHS, MAX_OFFSET_SLOTS, OFFSETS, SlotIndex, offset_slots};

    #[test]
    fn slots_follow_each_other() {
        assert_eq!(OFFSETS.base[..10], [1, 2, 3, 4, 5, 6, 7, 8, 9, 13]);
        assert_eq!(LENGTHS.base[24..30], [25, 26, 27, 29, 31, 33]);
        let last = MAX_OFFSET_SLOTS - 1;
        assert!(OFFSETS.base[last] > 64 << 20, "the last slot is above every chunk of Microsoft");
        let index = SlotIndex::new();
        let edges = OFFSETS.base[..last].iter().flat_map(|&base| base.max(2) - 1..base + 2);
        for number in (1..100_000).chain((1 << 26) - 1000..1 << 26).chain(edges) {
            let slot = OFFSETS.slot_of(number);
            assert_eq!(index.slot_of(number), slot);
            assert!(number - OFFSETS.base[slot] < 1 << OFFSETS.extra_bits[slot]);
        }
    }

    #[test]
    fn small_chunks_have_fewer_offset_symbols() {
        assert_eq!([0, 1, 2, 3, 9, 10, 14].map(offset_slots), [1, 1, 1, 2, 8, 9, 10]);
    }
}
