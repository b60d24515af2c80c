//! The parser of the fast level: at each position the best match, unless the next one has a
//! better.

use super::token::{MAX_MATCH, Token, slot_of};
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

/// What a byte of a match saves, in the units of [`Candidate::score`].
const BYTE_SCORE: i32 = 6;

/// A match that may be taken.
#[derive(Clone, Copy)]
struct Candidate {
    token: Token,
    length: usize,
    offset: usize,
    /// Saved bits, about.
    score: i32,
}

/// Parses a window into `tokens`.
pub(super) fn parse(window: &Window, chains: &Chains, effort: Effort, tokens: &mut Vec<Token>) {
    let mut parser = Parser { window, chains, effort, recent: [1; 3] };
    let (mut position, end) = (Window::START, window.end());
    tokens.clear();
    while position < end {
        let Some(mut best) = parser.best(position, 0) else {
            tokens.push(Token::literal(window.byte(position)));
            position += 1;
            continue;
        };
        while best.length < effort.nice_bytes && position + 1 < end {
            let Some(next) = parser.best(position + 1, best.score + 2) else { break };
            tokens.push(Token::literal(window.byte(position)));
            position += 1;
            best = next;
        }
        tokens.push(best.token);
        parser.push(&best);
        position += best.length;
    }
}

struct Parser<'a> {
    window: &'a Window,
    chains: &'a Chains,
    effort: Effort,
    recent: [usize; 3],
}

impl Parser<'_> {
    /// The match with the best score above `score_min`.
    #[inline(always)]
    fn best(&self, position: usize, score_min: i32) -> Option<Candidate> {
        let limit = MAX_MATCH.min(self.window.end() - position);
        if limit < 4 {
            return None;
        }
        let mut best = None;
        let mut best_score = score_min;
        let mut longest = 3;
        let next = self.window.load4(position);
        for (index, &offset) in self.recent.iter().enumerate() {
            if offset >= position {
                continue;
            }
            let difference = self.window.load4(position - offset) ^ next;
            if difference & 0xff_ffff != 0 {
                continue;
            }
            let length = if difference == 0 {
                self.window.common(position - offset, position, 4, limit)
            } else {
                3
            };
            let score = length as i32 * BYTE_SCORE - 6 - index as i32;
            if score > best_score {
                best_score = score;
                longest = longest.max(length);
                best =
                    Some(Candidate { token: Token::repeat(index, length), length, offset, score });
            }
        }
        if longest >= self.effort.nice_bytes {
            return best;
        }
        let found = self.chains.longest(self.window, position, longest, limit, self.effort.depth);
        if found.length > 0 {
            self.consider(found.length, found.offset, best_score, &mut best);
        } else if best.is_none() {
            let offset = self.chains.nearest3(self.window, position);
            if offset != 0 {
                self.consider(3, offset, best_score, &mut best);
            }
        }
        best
    }

    #[inline(always)]
    fn consider(&self, length: usize, offset: usize, than: i32, best: &mut Option<Candidate>) {
        let score = length as i32 * BYTE_SCORE - 8 - (slot_of(offset) as i32 / 2);
        if score > than {
            let token = Token::explicit(offset, length);
            *best = Some(Candidate { token, length, offset, score });
        }
    }

    fn push(&mut self, taken: &Candidate) {
        let [first, second, third] = self.recent;
        self.recent = if taken.offset == first {
            return;
        } else if taken.token.slot() == 1 {
            [second, first, third]
        } else if taken.token.slot() == 2 {
            [third, second, first]
        } else {
            [taken.offset, first, second]
        };
    }
}
