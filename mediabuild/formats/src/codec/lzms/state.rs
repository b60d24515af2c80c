//! `State`: what the coding of the next items depends on, small enough to keep at each position
//! that the parser weighs.

use super::emit::Origin;
use super::model::{Decisions, Delta, REPEATS, RecentItems};
use super::probability::{
    DELTA_CONTEXTS, LZ_CONTEXTS, MAIN_CONTEXTS, MATCH_CONTEXTS, REPEAT_CONTEXTS, next_history,
};

/// An item in one word, for tables of the parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Item(u32);

const EXPLICIT: u32 = 1 << 31;
const EXPLICIT_DELTA: u32 = 1 << 30;
/// Offsets of chunks of up to 64 MiB are below.
const OFFSET_BITS: u32 = 27;

impl Item {
    pub(super) const LITERAL: Item = Item(8);

    pub(super) fn repeat(index: usize) -> Item {
        Item(index as u32)
    }

    pub(super) fn delta_repeat(index: usize) -> Item {
        Item(4 + index as u32)
    }

    pub(super) fn offset(offset: u32) -> Item {
        Item(EXPLICIT | offset)
    }

    pub(super) fn delta(delta: Delta) -> Item {
        Item(EXPLICIT_DELTA | delta.power << OFFSET_BITS | delta.raw_offset)
    }

    /// `None` of a literal.
    #[inline(always)]
    pub(super) fn origin(self) -> Option<Origin> {
        let low = self.0 & ((1 << OFFSET_BITS) - 1);
        match self.0 {
            0..4 => Some(Origin::Repeat(low as usize)),
            4..8 => Some(Origin::DeltaRepeat(low as usize - 4)),
            8 => None,
            EXPLICIT.. => Some(Origin::Offset(low)),
            _ => {
                let power = (self.0 & !EXPLICIT_DELTA) >> OFFSET_BITS;
                Some(Origin::Delta(Delta { power, raw_offset: low }))
            }
        }
    }
}

/// The histories of all decisions, and recent offsets.
#[derive(Clone, Copy)]
pub(super) struct State {
    pub(super) recent: RecentItems,
    pub(super) main: u8,
    pub(super) kind: u8,
    pub(super) lz: u8,
    pub(super) delta: u8,
    pub(super) lz_repeat: [u8; 2],
    pub(super) delta_repeat: [u8; 2],
}

impl State {
    pub(super) fn of(decisions: &Decisions, recent: RecentItems) -> State {
        let [lz_first, lz_second] = &decisions.lz_repeat;
        let [delta_first, delta_second] = &decisions.delta_repeat;
        State {
            recent,
            main: decisions.main.history as u8,
            kind: decisions.kind.history as u8,
            lz: decisions.lz.history as u8,
            delta: decisions.delta.history as u8,
            lz_repeat: [lz_first.history as u8, lz_second.history as u8],
            delta_repeat: [delta_first.history as u8, delta_second.history as u8],
        }
    }

    /// The state behind an item.
    #[inline(always)]
    pub(super) fn after(mut self, item: Item) -> State {
        let Some(origin) = item.origin() else {
            push::<MAIN_CONTEXTS>(&mut self.main, 0);
            self.recent.literal();
            return self;
        };
        push::<MAIN_CONTEXTS>(&mut self.main, 1);
        let is_delta = matches!(origin, Origin::Delta(_) | Origin::DeltaRepeat(_));
        push::<MATCH_CONTEXTS>(&mut self.kind, is_delta.into());
        match origin {
            Origin::Offset(offset) => {
                push::<LZ_CONTEXTS>(&mut self.lz, 0);
                self.recent.lz_explicit(offset);
            }
            Origin::Repeat(index) => {
                push::<LZ_CONTEXTS>(&mut self.lz, 1);
                push_repeat(&mut self.lz_repeat, index);
                self.recent.lz_repeat(index);
            }
            Origin::Delta(delta) => {
                push::<DELTA_CONTEXTS>(&mut self.delta, 0);
                self.recent.delta_explicit(delta);
            }
            Origin::DeltaRepeat(index) => {
                push::<DELTA_CONTEXTS>(&mut self.delta, 1);
                push_repeat(&mut self.delta_repeat, index);
                self.recent.delta_repeat(index);
            }
        }
        self
    }

    /// The offset that a repeat index names.
    #[inline(always)]
    pub(super) fn lz_offset(&self, index: usize) -> u32 {
        self.recent.lz[(index + self.recent.after_lz) & REPEATS]
    }

    #[inline(always)]
    pub(super) fn delta(&self, index: usize) -> Delta {
        self.recent.delta[(index + self.recent.after_delta) & REPEATS]
    }
}

#[inline(always)]
fn push<const N: usize>(history: &mut u8, bit: u32) {
    *history = next_history::<N>(u32::from(*history), bit) as u8;
}

#[inline(always)]
fn push_repeat(histories: &mut [u8; 2], index: usize) {
    push::<REPEAT_CONTEXTS>(&mut histories[0], u32::from(index > 0));
    if index > 0 {
        push::<REPEAT_CONTEXTS>(&mut histories[1], u32::from(index > 1));
    }
}
