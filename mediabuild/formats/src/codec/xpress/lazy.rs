//! The lazy parser: at each position the best match, unless the next one has a better.

use super::encode::Tokens;
use super::token::Token;
use crate::codec::chains::{Chains, Match};
use crate::codec::window::Window;

/// How hard it looks.
#[derive(Clone, Copy)]
pub(super) struct Effort {
    /// Candidates looked at for one position, and for the one behind a match.
    pub(super) depth: u32,
    pub(super) next_depth: u32,
    /// A match of this length is taken without a look at the next position.
    pub(super) nice_bytes: usize,
}

/// What a byte of a match saves, in quarters of a bit, and what its symbol costs.
const BYTE_SCORE: i32 = 24;
const MATCH_SCORE: i32 = 28;
/// What a bit of an offset costs.
const OFFSET_SCORE: i32 = 4;
/// How much better a match at the next position must be.
const LITERAL_SCORE: i32 = 10;

/// Parses a window into `tokens`.
pub(super) fn parse(window: &Window, chains: &Chains, effort: Effort, tokens: &mut Tokens) {
    let (mut position, end) = (Window::START, window.end());
    // Searches look at four bytes.
    let search_end = window.match_end().saturating_sub(3);
    tokens.clear();
    while position < search_end {
        let limit = window.match_end() - position;
        let mut best = chains.longest(window, position, 3, limit, effort.depth);
        if best.length == 0 {
            best = short(window, chains, position);
        }
        if best.length == 0 {
            tokens.push(Token::literal(window.byte(position)));
            position += 1;
            continue;
        }
        while best.length < effort.nice_bytes && position + 1 < search_end {
            let (longer_than, limit) =
                ((best.length - 1).max(3), window.match_end() - position - 1);
            let next = chains.longest(window, position + 1, longer_than, limit, effort.next_depth);
            if next.length == 0 || score(&next) <= score(&best) + LITERAL_SCORE {
                break;
            }
            tokens.push(Token::literal(window.byte(position)));
            position += 1;
            best = next;
        }
        tokens.push(Token::of_match(best.offset, best.length));
        position += best.length;
    }
    for position in position..end {
        tokens.push(Token::literal(window.byte(position)));
    }
}

/// A match of three bytes, if it is worth it.
#[inline(always)]
fn short(window: &Window, chains: &Chains, position: usize) -> Match {
    let offset = chains.nearest3(window, position);
    let found = Match { length: 3, offset };
    if offset != 0 && score(&found) > 0 { found } else { Match::default() }
}

#[inline(always)]
fn score(found: &Match) -> i32 {
    let magnitude = (found.offset as u32 | 1).ilog2() as i32;
    found.length as i32 * BYTE_SCORE - MATCH_SCORE - magnitude * OFFSET_SCORE
}
