//! What LZX decoder and encoder both know: alphabets, offset slots, block types.

/// Symbols of the length code.
pub(super) const LENGTH_SYMBOLS: usize = 249;
/// Symbols of the precode, which codes the lengths of the other codes.
pub(super) const PRECODE_SYMBOLS: usize = 20;
/// Symbols of the aligned offset code.
pub(super) const ALIGNED_SYMBOLS: usize = 8;
/// Offset slots of the largest window, 2 MiB.
pub(super) const MAX_SLOTS: usize = 50;
pub(super) const MAX_MAIN_SYMBOLS: usize = 256 + 8 * MAX_SLOTS;
pub(super) const MIN_MATCH: usize = 2;
/// The block size that takes one bit.
pub(super) const DEFAULT_BLOCK_BYTES: usize = 32768;

/// Types of blocks.
pub(super) const VERBATIM_BLOCK: u32 = 1;
pub(super) const ALIGNED_BLOCK: u32 = 2;
pub(super) const UNCOMPRESSED_BLOCK: u32 = 3;

/// By slot: how many low bits of the offset follow the main symbol, and the offset without them.
/// Slots 0 to 2 stand for the recent offsets.
pub(super) const SLOTS: ([u8; MAX_SLOTS], [u32; MAX_SLOTS]) = slots();

const fn slots() -> ([u8; MAX_SLOTS], [u32; MAX_SLOTS]) {
    let (mut extra, mut base) = ([0; MAX_SLOTS], [0; MAX_SLOTS]);
    let (mut slot, mut next) = (3, 1_u32);
    while slot < MAX_SLOTS {
        let half = slot as u8 / 2;
        extra[slot] = if half - 1 > 17 { 17 } else { half - 1 };
        base[slot] = next;
        next += 1 << extra[slot];
        slot += 1;
    }
    (extra, base)
}

/// How many offset slots a window has.
pub(super) fn slot_count(window_bytes: u32) -> Option<usize> {
    let counts = [30, 32, 34, 36, 38, 42, MAX_SLOTS];
    let order = window_bytes.is_power_of_two().then(|| window_bytes.trailing_zeros())?;
    counts.get(order.checked_sub(15)? as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::{SLOTS, slot_count};

    #[test]
    fn offset_slots_cover_every_window() {
        assert_eq!(SLOTS.0[..10], [0, 0, 0, 0, 1, 1, 2, 2, 3, 3]);
        assert_eq!(SLOTS.1[3..13], [1, 2, 4, 6, 10, 14, 22, 30, 46, 62]);
        for window in (15..=21).map(|order| 1_u32 << order) {
            let last = slot_count(window).expect("a legal window") - 1;
            assert_eq!(SLOTS.1[last] + (1 << SLOTS.0[last]) - 1, window - 3, "{window}");
        }
    }
}
