//! `Tokens`: what a parser emits for a chunk, counted as it comes, in segments of which blocks
//! are made.

use std::ops::Range;

use super::codes::Counts;
use super::token::Token;
use crate::codec::boxed_array;

/// A power of two, so that positions wrap instead of being checked; a chunk has fewer tokens.
const ROOM: usize = 1 << 16;
/// Tokens of a segment, at least. Smaller segments let blocks end where they should, but each
/// pair of them costs time: 1,024 save 0.02 % for a tenth more time, 8,192 lose 0.1 %.
pub(super) const SEGMENT_TOKENS: usize = 4096;

/// Neighbouring tokens.
#[derive(Clone)]
pub(super) struct Segment {
    pub(super) tokens: Range<usize>,
    /// Positions in the window.
    pub(super) bytes: Range<usize>,
    pub(super) counts: Counts,
}

/// The tokens of one chunk.
pub(super) struct Tokens {
    tokens: Box<[Token; ROOM]>,
    count: usize,
    /// The segment that is being filled ends at this many tokens or soon after.
    cut_at: usize,
    segment_tokens: usize,
    counts: Counts,
    segments: Vec<Segment>,
}

impl Tokens {
    pub(super) fn new() -> Tokens {
        Tokens {
            tokens: boxed_array(Token::literal(0)),
            count: 0,
            cut_at: 0,
            segment_tokens: 0,
            counts: Counts::new(),
            segments: Vec::new(),
        }
    }

    /// Starts a chunk; segments are cut by their number of tokens, or only where the parser says.
    pub(super) fn clear(&mut self, segment_tokens: usize) {
        self.segment_tokens = segment_tokens;
        (self.count, self.cut_at) = (0, segment_tokens);
        self.counts = Counts::new();
        self.segments.clear();
    }

    #[inline(always)]
    pub(super) fn push(&mut self, token: Token) {
        self.counts.add(token);
        self.tokens[self.count & (ROOM - 1)] = token;
        self.count += 1;
    }

    /// Where a segment may end, before the byte at this position in the window.
    #[inline(always)]
    pub(super) fn cut(&mut self, position: usize) {
        if self.count >= self.cut_at {
            self.end_segment(position);
        }
    }

    /// The position behind the last byte.
    pub(super) fn finish(&mut self, position: usize) {
        let tail_start = self.segments.last().map_or(0, |last| last.tokens.end);
        match self.segments.last_mut() {
            // A short rest is part of the segment before.
            Some(last) if self.count - tail_start < self.segment_tokens / 2 => {
                last.counts.add_all(&self.counts);
                last.tokens.end = self.count;
                last.bytes.end = position;
            }
            _ => self.end_segment(position),
        }
    }

    /// Ends a segment before the byte at this position.
    #[cold]
    pub(super) fn end_segment(&mut self, position: usize) {
        let (token, byte) = match self.segments.last() {
            Some(last) => (last.tokens.end, last.bytes.end),
            None => (0, crate::codec::window::Window::START),
        };
        let counts = std::mem::replace(&mut self.counts, Counts::new());
        self.segments.push(Segment { tokens: token..self.count, bytes: byte..position, counts });
        self.cut_at = self.count.saturating_add(self.segment_tokens);
    }

    pub(super) fn all(&self) -> &[Token] {
        &self.tokens[..self.count]
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    pub(super) fn segments_mut(&mut self) -> &mut Vec<Segment> {
        &mut self.segments
    }
}
