//! `MatchCache`: the matches of all positions of a chunk, found once, for parsers that go over
//! them several times.

use super::token::slot_of;
use crate::codec::boxed_array;
use crate::codec::window::Window;

/// A match: its length at 21, the slot of its offset at 16, its offset below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cached(u32);

const SLOT_SHIFT: u32 = 16;
const LENGTH_SHIFT: u32 = 21;

impl Cached {
    const NONE: Cached = Cached(0);

    #[inline(always)]
    pub(super) fn new(length: usize, offset: usize) -> Cached {
        Cached((length << LENGTH_SHIFT | offset) as u32)
    }

    fn set_slot(&mut self) {
        self.0 |= (slot_of(self.offset()) as u32) << SLOT_SHIFT;
    }

    #[inline(always)]
    pub(super) fn length(self) -> usize {
        (self.0 >> LENGTH_SHIFT) as usize
    }

    #[inline(always)]
    pub(super) fn slot(self) -> usize {
        (self.0 >> SLOT_SHIFT) as usize & 31
    }

    #[inline(always)]
    pub(super) fn offset(self) -> usize {
        (self.0 & 0xffff) as usize
    }
}

/// How hard a search looks.
#[derive(Clone, Copy)]
pub(super) struct Search {
    /// Candidates looked at for one position.
    pub(super) depth: u32,
    /// A match of this length is good enough.
    pub(super) nice_bytes: usize,
}

/// Room for matches: many more than chunks have; where one has more, there is no search behind them.
/// A power of two, so that positions wrap instead of being checked.
const MATCHES: usize = 1 << 20;
/// A position has at most one match of each length.
const POSITION_MATCHES: usize = 256;

/// For each position the nearest match of each length that one has, the longest last.
pub(super) struct MatchCache {
    /// By position: where its matches start.
    starts: Box<[u32; (1 << 16) + 2]>,
    matches: Box<[Cached; MATCHES]>,
    count: usize,
}

impl MatchCache {
    pub(super) fn new() -> MatchCache {
        MatchCache { starts: boxed_array(0), matches: boxed_array(Cached::NONE), count: 0 }
    }

    /// Lets `find` add the matches at each position that has `least_bytes` behind it. It returns the
    /// longest length; a match of `nice_bytes` is good enough: inside it there is no search.
    #[inline(always)]
    pub(super) fn fill(
        &mut self,
        window: &Window,
        nice_bytes: usize,
        least_bytes: usize,
        find: impl Fn(&mut MatchCache, usize) -> usize,
    ) {
        self.count = 0;
        let search_end = (window.match_end() + 1).saturating_sub(least_bytes);
        let mut skip_to = 0;
        for position in Window::START..search_end {
            self.starts[position] = self.count as u32;
            if position < skip_to || self.count > MATCHES - POSITION_MATCHES {
                continue;
            }
            let longest = find(self, position);
            if longest >= nice_bytes {
                skip_to = position + longest;
            }
        }
        let rest = search_end.max(Window::START);
        self.starts[rest..window.end() + 1].fill(self.count as u32);
        // At once: a search adds more than it keeps.
        self.matches[..self.count].iter_mut().for_each(Cached::set_slot);
    }

    /// Without a branch, which would often be mispredicted: a tenth of the time of a search.
    #[inline(always)]
    pub(super) fn push_if(&mut self, is_there: bool, found: Cached) {
        self.matches[self.count & (MATCHES - 1)] = found;
        self.count += usize::from(is_there);
    }

    /// The matches at a position, by ascending length and offset.
    #[inline(always)]
    pub(super) fn at(&self, position: usize) -> &[Cached] {
        let (start, end) = (self.starts[position] as usize, self.starts[position + 1] as usize);
        &self.matches[start..end]
    }
}
