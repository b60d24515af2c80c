//! What decoder and encoder both keep of the items so far: decisions and recent offsets.

use super::probability::{
    DELTA_CONTEXTS, Decision, LZ_CONTEXTS, MAIN_CONTEXTS, MATCH_CONTEXTS, REPEAT_CONTEXTS,
};

/// Symbols of the power of a delta match.
pub(super) const DELTA_POWERS: usize = 8;

/// How many symbols are coded with one code.
pub(super) const LITERAL_INTERVAL: u32 = 1024;
pub(super) const OFFSET_INTERVAL: u32 = 1024;
/// The same for lengths and powers.
pub(super) const SHORT_INTERVAL: u32 = 512;

/// Offsets that a repeat match can name.
pub(super) const REPEATS: usize = 3;

/// The decisions that the range coder codes; a repeat index has two, in unary.
#[derive(Clone)]
pub(super) struct Decisions {
    /// 0: a literal.
    pub(super) main: Decision<MAIN_CONTEXTS>,
    /// 0: an LZ match, 1: a delta match.
    pub(super) kind: Decision<MATCH_CONTEXTS>,
    /// 0: an explicit offset, 1: a repeated one.
    pub(super) lz: Decision<LZ_CONTEXTS>,
    pub(super) delta: Decision<DELTA_CONTEXTS>,
    pub(super) lz_repeat: [Decision<REPEAT_CONTEXTS>; 2],
    pub(super) delta_repeat: [Decision<REPEAT_CONTEXTS>; 2],
}

impl Decisions {
    pub(super) fn new() -> Decisions {
        Decisions {
            main: Decision::new(),
            kind: Decision::new(),
            lz: Decision::new(),
            delta: Decision::new(),
            lz_repeat: [Decision::new(), Decision::new()],
            delta_repeat: [Decision::new(), Decision::new()],
        }
    }
}

/// Source of a delta match: bytes differ from those `offset` before as do those one span before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Delta {
    pub(super) power: u32,
    /// The offset in spans.
    pub(super) raw_offset: u32,
}

impl Delta {
    pub(super) fn span(self) -> usize {
        1 << self.power
    }

    /// In bytes; raw offsets of hostile input may be large.
    pub(super) fn offset(self) -> u64 {
        u64::from(self.raw_offset) << self.power
    }
}

/// Offsets used last, the latest first. The latest one of a kind cannot be named right after it:
/// the match would have been longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecentItems {
    pub(super) lz: [u32; REPEATS + 1],
    pub(super) delta: [Delta; REPEATS + 1],
    /// 1 if the previous item was a match of the kind.
    pub(super) after_lz: usize,
    pub(super) after_delta: usize,
}

impl RecentItems {
    pub(super) fn new() -> RecentItems {
        RecentItems {
            lz: [1, 2, 3, 4],
            delta: [1, 2, 3, 4].map(|raw_offset| Delta { power: 0, raw_offset }),
            after_lz: 0,
            after_delta: 0,
        }
    }

    #[inline(always)]
    pub(super) fn literal(&mut self) {
        (self.after_lz, self.after_delta) = (0, 0);
    }

    #[inline(always)]
    pub(super) fn lz_explicit(&mut self, offset: u32) -> u32 {
        let [first, second, third, _] = self.lz;
        self.lz = [offset, first, second, third];
        (self.after_lz, self.after_delta) = (1, 0);
        offset
    }

    /// The offset of a repeat index of 0 to 2.
    #[inline(always)]
    pub(super) fn lz_repeat(&mut self, index: usize) -> u32 {
        let offset = move_to_front(&mut self.lz, index + self.after_lz);
        (self.after_lz, self.after_delta) = (1, 0);
        offset
    }

    pub(super) fn delta_explicit(&mut self, delta: Delta) -> Delta {
        let [first, second, third, _] = self.delta;
        self.delta = [delta, first, second, third];
        (self.after_lz, self.after_delta) = (0, 1);
        delta
    }

    pub(super) fn delta_repeat(&mut self, index: usize) -> Delta {
        let delta = move_to_front(&mut self.delta, index + self.after_delta);
        (self.after_lz, self.after_delta) = (0, 1);
        delta
    }
}

#[inline(always)]
fn move_to_front<T: Copy>(queue: &mut [T; REPEATS + 1], index: usize) -> T {
    let [first, second, third, fourth] = *queue;
    *queue = match index {
        0 => [first, second, third, fourth],
        1 => [second, first, third, fourth],
        2 => [third, first, second, fourth],
        _ => [fourth, first, second, third],
    };
    queue[0]
}

#[cfg(test)]
mod tests {
    use super::RecentItems;

    #[test]
    fn the_latest_offset_cannot_be_named_right_away() {
        let mut recent = RecentItems::new();
        assert_eq!(recent.lz_explicit(9), 9);
        assert_eq!(recent.lz_repeat(0), 1, "9 is not there yet");
        assert_eq!(recent.lz_repeat(0), 9);
        recent.literal();
        assert_eq!(recent.lz_repeat(0), 9);
        assert_eq!(recent.lz_repeat(2), 3);
        assert_eq!(recent.lz, [3, 9, 1, 2]);
    }

    #[test]
    fn kinds_do_not_disturb_each_other() {
        let mut recent = RecentItems::new();
        recent.lz_explicit(9);
        assert_eq!(recent.delta_repeat(1).raw_offset, 2);
        assert_eq!(recent.lz_repeat(0), 9);
        assert_eq!(recent.delta_repeat(0).raw_offset, 2);
    }
}
