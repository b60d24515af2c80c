//! The parser of the fast level: at each position the best match, unless the next one has a
//! better.

use super::token::{MAX_MATCH, Token, slot_of};
use super::tokens::{SEGMENT_TOKENS, Tokens};
use crate::codec::chains::Chains;
use crate::codec::window::Window;

/// How hard it looks.
#[derive(Clone, Copy)]
pub(super) struct Effort {
    /// Candidates looked at for one position.
    pub(super) depth: u32,
    /// A match of this length is taken without a look at the next position.
    pub(super) nice_bytes: usize,
}

/// What a byte of a match saves, in quarters of a bit: a literal takes 6 bits. These were tuned
/// together on 24 MB of programs; one step of any of them costs 0.02 % or less.
const BYTE_SCORE: i32 = 24;
/// What the symbols of a match at a recent offset cost, plus this for each rank.
const REPEAT_SCORE: i32 = 20;
const INDEX_SCORE: i32 = 2;
/// What those of another match cost: a slot has half a bit more behind it than the one before.
const EXPLICIT_SCORE: i32 = 28;
const SLOT_SCORE: i32 = 2;
/// How much better a match at the next position must be.
const LITERAL_SCORE: i32 = 10;

/// Bias of codes of explicit offsets: below are the indices of recent ones.
const EXPLICIT: u32 = 2;

/// A match that may be taken.
#[derive(Clone, Copy)]
struct Candidate {
    length: u32,
    /// The index of a recent offset, or an offset plus [`EXPLICIT`].
    code: u32,
    /// Saved bits, about. Nothing is saved by no match.
    score: i32,
}

const NONE: Candidate = Candidate { length: 0, code: 0, score: 0 };

/// Parses a window into `tokens`.
pub(super) fn parse(window: &Window, chains: &Chains, effort: Effort, tokens: &mut Tokens) {
    let mut parser = Parser { window, chains, effort, recent: [1; 3] };
    let (mut position, end) = (Window::START, window.end());
    // Searches look at four bytes.
    let search_end = end.saturating_sub(3);
    tokens.clear(SEGMENT_TOKENS);
    while position < search_end {
        tokens.cut(position);
        let mut best = parser.best(position);
        if best.score <= 0 {
            tokens.push(Token::literal(window.byte(position)));
            position += 1;
            continue;
        }
        while (best.length as usize) < effort.nice_bytes && position + 1 < search_end {
            let next = parser.better(position + 1, &best);
            if next.score <= best.score + LITERAL_SCORE {
                break;
            }
            tokens.push(Token::literal(window.byte(position)));
            position += 1;
            best = next;
        }
        tokens.push(parser.take(&best));
        position += best.length as usize;
    }
    for position in position..end {
        tokens.push(Token::literal(window.byte(position)));
    }
    tokens.finish(end);
}

struct Parser<'a> {
    window: &'a Window,
    chains: &'a Chains,
    effort: Effort,
    recent: [u32; 3],
}

impl Parser<'_> {
    /// The match with the best score.
    #[inline(always)]
    fn best(&self, position: usize) -> Candidate {
        let limit = MAX_MATCH.min(self.window.end() - position);
        let mut best = self.repeated(position, limit);
        if best.length as usize >= self.effort.nice_bytes {
            return best;
        }
        let longer_than = (best.length as usize).max(3);
        let found =
            self.chains.longest(self.window, position, longer_than, limit, self.effort.depth);
        if found.length > 0 {
            self.consider(found.length, found.offset, &mut best);
        } else if best.length == 0 {
            let offset = self.chains.nearest3(self.window, position);
            if offset != 0 {
                self.consider(3, offset, &mut best);
            }
        }
        best
    }

    /// The match with the best score that may beat the one at the position before.
    #[inline(always)]
    fn better(&self, position: usize, than: &Candidate) -> Candidate {
        let limit = MAX_MATCH.min(self.window.end() - position);
        let mut best = self.repeated(position, limit);
        let longer_than = (than.length as usize - 1).max(best.length as usize).max(3);
        let found =
            self.chains.longest(self.window, position, longer_than, limit, self.effort.depth / 4);
        if found.length > 0 {
            self.consider(found.length, found.offset, &mut best);
        }
        best
    }

    /// The match at the most recent of the offsets that has one, of at least three bytes. To look
    /// for the best of them takes 7 % longer, for branches that are hard to predict, and saves
    /// 0.13 %.
    #[inline(always)]
    fn repeated(&self, position: usize, limit: usize) -> Candidate {
        let next = self.window.load4(position);
        let equal = self.recent.map(|offset| {
            let before = self.window.load4(position.wrapping_sub(offset as usize));
            (before ^ next) << 8 == 0
        });
        if !(equal[0] | equal[1] | equal[2]) {
            return NONE;
        }
        let index = if equal[0] {
            0
        } else if equal[1] {
            1
        } else {
            2
        };
        let offset = self.recent[index] as usize;
        if offset >= position {
            return NONE;
        }
        let length = self.window.common(position - offset, position, limit);
        let score = length as i32 * BYTE_SCORE - REPEAT_SCORE - index as i32 * INDEX_SCORE;
        Candidate { length: length as u32, code: index as u32, score }
    }

    #[inline(always)]
    fn consider(&self, length: usize, offset: usize, best: &mut Candidate) {
        let score =
            length as i32 * BYTE_SCORE - EXPLICIT_SCORE - slot_of(offset) as i32 * SLOT_SCORE;
        if score > best.score {
            *best = Candidate { length: length as u32, code: offset as u32 + EXPLICIT, score };
        }
    }

    #[inline(always)]
    fn take(&mut self, taken: &Candidate) -> Token {
        let [first, second, third] = self.recent;
        let length = taken.length as usize;
        match taken.code {
            0 => return Token::repeat(0, length),
            1 => self.recent = [second, first, third],
            2 => self.recent = [third, second, first],
            code => {
                self.recent = [code - EXPLICIT, first, second];
                return Token::explicit((code - EXPLICIT) as usize, length);
            }
        }
        Token::repeat(taken.code as usize, length)
    }
}
