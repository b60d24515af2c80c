//! The optimal parser: the cheapest way through a chunk, at given prices.
//!
//! A node for each position holds the cheapest known path to it. Going forward, each node offers
//! its literal and its matches to the nodes they lead to. The recent offsets of a node are those
//! of its path, so what is cheapest with them is found for one path only; that is what makes it
//! near-optimal.

use super::learned::Learned;
use super::match_cache::MatchCache;
use super::prices::{LANES, Price, Prices, UNREACHED};
use super::prior::expected_counts;
use super::token::Token;
use super::tokens::{Segment, Tokens};
use super::walk::{QUICK, THOROUGH, Walk};
use crate::codec::boxed_array;
use crate::codec::window::Window;

/// As many as positions, a power of two.
const NODES: usize = 1 << 16;
pub(super) const NODE_MASK: usize = NODES - 1;
/// Room behind the last node that an offer may reach, so that no bounds are checked.
const ROOM: usize = NODES + LANES;
/// Bias of codes of explicit offsets: below are the indices of recent ones.
pub(super) const EXPLICIT: usize = 2;

/// Bytes that are parsed with expected prices only.
const FIRST_PIECE_BYTES: usize = 1024;
/// Bytes that are parsed with prices learned before them. With twice as many chunks are 0.05 %
/// larger; with half as many they are 0.02 % smaller, and a fiftieth more time goes by.
const PIECE_BYTES: usize = 3072;

/// Three recent offsets, the most recent one in the low bits.
#[derive(Clone, Copy)]
pub(super) struct Recent(u64);

const OFFSET_BITS: u32 = 16;
const OFFSET_MASK: u64 = (1 << OFFSET_BITS) - 1;

impl Recent {
    const START: Recent = Recent(1 | 1 << OFFSET_BITS | 1 << (2 * OFFSET_BITS));

    #[inline(always)]
    pub(super) fn get(self, index: u32) -> usize {
        (self.0 >> (index * OFFSET_BITS) & OFFSET_MASK) as usize
    }

    /// Behind a step: its offset comes to the front.
    /// Without branches: which kind of step it is is hard to predict.
    #[inline(always)]
    fn after(self, step: Step) -> Recent {
        let code = step.code() as u64;
        let rank = code.min(RANKS) as usize;
        let offset = if code < RANKS {
            self.0 >> (code as u32 * OFFSET_BITS) & OFFSET_MASK
        } else {
            code - EXPLICIT as u64
        };
        let moved = (self.0 & MOVED[rank]) << MOVED_BITS[rank];
        Recent(offset | moved | self.0 & KEPT[rank])
    }
}

/// Recent offsets there are.
const RANKS: u64 = 3;
/// By rank of the offset that comes to the front, an explicit one last: which offsets move, how
/// far, and which stay. A recent one changes places with the first; what an explicit one pushes
/// out is never looked at.
const MOVED: [u64; 4] = [0, OFFSET_MASK, OFFSET_MASK, 0xffff_ffff];
const MOVED_BITS: [u32; 4] = [0, OFFSET_BITS, 2 * OFFSET_BITS, OFFSET_BITS];
const KEPT: [u64; 4] = [0xffff_ffff_0000, 0xffff_0000_0000, 0xffff_0000, 0];

/// The last token of a path. In the low 15 bits there is the index of a recent offset, or an offset
/// plus [`EXPLICIT`]; the length above. A literal has length 1 and code 0. At 24 there is how many
/// literals follow, and at 27 how much repeats at the same offset behind them: such tokens are
/// offered as one step.
#[derive(Clone, Copy)]
pub(super) struct Step(pub(super) u32);

const CODE_MASK: u32 = (1 << LENGTH_SHIFT) - 1;
pub(super) const LENGTH_SHIFT: u32 = 15;
const LITERALS_SHIFT: u32 = 24;
const REPEATED_SHIFT: u32 = 27;
/// Longer repeats are cut; nearly all are shorter.
pub(super) const REPEATED_MAX: usize = 31;
const LITERAL: Step = Step(1 << LENGTH_SHIFT);

impl Step {
    #[inline(always)]
    pub(super) fn of_match(code: usize, length: usize) -> Step {
        Step(code as u32 | (length as u32) << LENGTH_SHIFT)
    }

    /// Then at most 7 literals and `repeated` bytes at the same offset.
    #[inline(always)]
    pub(super) fn then_repeat(self, literals: usize, repeated: usize) -> Step {
        Step(self.0 | (literals as u32) << LITERALS_SHIFT | (repeated as u32) << REPEATED_SHIFT)
    }

    /// Of the first token.
    #[inline(always)]
    fn length(self) -> usize {
        (self.0 >> LENGTH_SHIFT) as usize & 0x1ff
    }

    #[inline(always)]
    fn literals(self) -> usize {
        (self.0 >> LITERALS_SHIFT) as usize & 7
    }

    #[inline(always)]
    fn repeated(self) -> usize {
        (self.0 >> REPEATED_SHIFT) as usize
    }

    /// Of all its tokens.
    #[inline(always)]
    fn all_bytes(self) -> usize {
        self.length() + self.literals() + self.repeated()
    }

    #[inline(always)]
    fn code(self) -> usize {
        (self.0 & CODE_MASK) as usize
    }

    /// Its tokens, in order, if it starts at this position.
    #[inline(always)]
    fn tokens(self, window: &Window, position: usize, mut emit: impl FnMut(Token)) {
        let length = self.length();
        emit(match (length, self.code()) {
            (1, _) => Token::literal(window.byte(position)),
            (_, code @ 0..=2) => Token::repeat(code, length),
            (_, code) => Token::explicit(code - EXPLICIT, length),
        });
        if self.repeated() != 0 {
            let behind = position + length;
            let literals = behind..behind + self.literals();
            literals.for_each(|position| emit(Token::literal(window.byte(position))));
            emit(Token::repeat(0, self.repeated()));
        }
    }
}

/// The cheapest known path to a position: its price above, its last token below, so that one
/// comparison of numbers chooses. Of paths that cost the same, that with the lower step is taken.
#[derive(Clone, Copy)]
pub(super) struct Node(u64);

impl Node {
    const UNREACHED: Node = Node((UNREACHED as u64) << STEP_BITS);

    #[inline(always)]
    pub(super) fn new(price: Price, step: Step) -> Node {
        Node(u64::from(price) << STEP_BITS | u64::from(step.0))
    }

    #[inline(always)]
    pub(super) fn price(self) -> Price {
        (self.0 >> STEP_BITS) as Price
    }

    #[inline(always)]
    fn step(self) -> Step {
        Step(self.0 as u32)
    }

    /// The better of two; bits of `outside` make the other one dearer than any.
    #[inline(always)]
    pub(super) fn offer(&mut self, price: Price, step: Step, outside: u64) {
        self.0 = self.0.min(Node::new(price, step).0 | outside);
    }
}

const STEP_BITS: u32 = 32;

/// The nodes, kept for the next chunk.
pub(super) struct Optimal {
    nodes: Box<[Node; ROOM]>,
    recent: Box<[Recent; NODES]>,
}

/// A part of the chunk that has prices of its own.
pub(super) struct Part {
    /// Behind its last position.
    pub(super) end: usize,
    pub(super) prices: Prices,
}

impl Part {
    /// A block whose symbols cost what they did in the pass before.
    pub(super) fn of(segment: &Segment) -> Part {
        let mut prices = Prices::new();
        prices.set(&segment.counts);
        Part { end: segment.bytes.end, prices }
    }
}

impl Optimal {
    pub(super) fn new() -> Optimal {
        Optimal { nodes: boxed_array(Node::UNREACHED), recent: boxed_array(Recent::START) }
    }

    /// Parses a window into `tokens`, each part a segment. A match of `nice_bytes` is taken as it is.
    pub(super) fn parse_thoroughly(
        &mut self,
        window: &Window,
        cache: &MatchCache,
        nice_bytes: usize,
        parts: &[Part],
        tokens: &mut Tokens,
    ) {
        let mut from = Window::START;
        self.start(window);
        for part in parts {
            let match_end = part.end.min(window.match_end());
            let mut walk = Walk { nodes: self, window, cache, prices: &part.prices, match_end };
            walk.run::<THOROUGH>(from, part.end, nice_bytes);
            from = part.end;
        }
        tokens.clear(usize::MAX);
        self.trace(window, parts, tokens);
    }

    /// Parses a window into `tokens` with prices that are learned on the way from what is likely
    /// and what was chosen before.
    pub(super) fn parse_learning(
        &mut self,
        window: &Window,
        cache: &MatchCache,
        nice_bytes: usize,
        segment_tokens: usize,
        tokens: &mut Tokens,
    ) {
        let mut learned = Learned::new(expected_counts(window.slice(Window::START, window.end())));
        let mut from = Window::START;
        let mut piece_bytes = FIRST_PIECE_BYTES;
        self.start(window);
        while from < window.end() {
            let (prices, match_end) = (learned.prices(), window.match_end());
            let mut walk = Walk { nodes: self, window, cache, prices, match_end };
            let end = walk.run::<QUICK>(from, (from + piece_bytes).min(window.end()), nice_bytes);
            if end < window.end() {
                self.learn(window, from, end, &mut learned);
            }
            (from, piece_bytes) = (end, PIECE_BYTES);
        }
        tokens.clear(segment_tokens);
        self.trace(window, &[], tokens);
    }

    /// Learns from the cheapest path to `end`, which the pass has reached, back to `from`.
    fn learn(&self, window: &Window, from: usize, end: usize, learned: &mut Learned) {
        let mut position = end;
        while position > from {
            let step = self.nodes[position & NODE_MASK].step();
            position -= step.all_bytes();
            step.tokens(window, position, |token| learned.add(token));
        }
        learned.update();
    }

    fn start(&mut self, window: &Window) {
        self.nodes[Window::START] = Node::new(0, LITERAL);
        self.nodes[Window::START + 1..=window.end()].fill(Node::UNREACHED);
    }

    #[inline(always)]
    pub(super) fn offer(&mut self, position: usize, price: Price, step: Step) {
        self.nodes[position & NODE_MASK].offer(price, step, 0);
    }

    /// The node at a position.
    #[inline(always)]
    pub(super) fn at(&self, position: usize) -> Node {
        self.nodes[position & NODE_MASK]
    }

    /// Offers a literal that leads to `position`; answers the node there, to which nothing else will be
    /// offered, so that the next step need not wait until it is in memory.
    #[inline(always)]
    pub(super) fn offer_literal(&mut self, position: usize, price: Price) -> Node {
        let node = &mut self.nodes[position & NODE_MASK];
        node.offer(price, LITERAL, 0);
        *node
    }

    /// Nodes from `position` on.
    #[inline(always)]
    pub(super) fn lanes(&mut self, position: usize) -> Option<&mut [Node; LANES]> {
        self.nodes[position & NODE_MASK..].first_chunk_mut()
    }

    /// No path leads there any more.
    pub(super) fn clear(&mut self, positions: std::ops::Range<usize>) {
        self.nodes[positions].fill(Node::UNREACHED);
    }

    /// The recent offsets at a node, whose path is known now.
    #[inline(always)]
    pub(super) fn arrive(&mut self, position: usize, node: Node) -> Recent {
        if position == Window::START {
            self.recent[position] = Recent::START;
            return Recent::START;
        }
        let step = node.step();
        let before = self.recent[position.wrapping_sub(step.all_bytes()) & NODE_MASK];
        let recent = before.after(step);
        self.recent[position & NODE_MASK] = recent;
        recent
    }

    /// Emits the tokens of the cheapest path to the end.
    fn trace(&mut self, window: &Window, parts: &[Part], tokens: &mut Tokens) {
        self.turn(window.end());
        let mut ends = parts.iter().map(|part| part.end);
        let mut end = ends.next();
        let mut position = Window::START;
        while position < window.end() {
            if Some(position) == end {
                tokens.end_segment(position);
                end = ends.next();
            }
            tokens.cut(position);
            let step = self.nodes[position & NODE_MASK].step();
            step.tokens(window, position, |token| tokens.push(token));
            position += step.all_bytes();
        }
        tokens.finish(window.end());
    }

    /// Turns the cheapest path around: each of its nodes gets the step that leaves it.
    fn turn(&mut self, end: usize) {
        let mut position = end;
        let mut leaving = LITERAL;
        while position > Window::START {
            let node = &mut self.nodes[position & NODE_MASK];
            leaving = std::mem::replace(node, Node::new(0, leaving)).step();
            position -= leaving.all_bytes();
        }
        self.nodes[Window::START] = Node::new(0, leaving);
    }
}
