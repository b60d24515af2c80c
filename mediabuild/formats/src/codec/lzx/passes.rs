//! `Passes`: how often the optimal parser goes over a chunk, at which prices.

use super::match_cache::{MatchCache, Search};
use super::optimal::{Optimal, Part};
use super::prices::Prices;
use super::prior::expected_counts;
use super::split::split;
use super::tokens::Tokens;
use super::walk::{QUICK, THOROUGH};
use crate::codec::chains::Chains;
use crate::codec::window::Window;

/// Segments of a sketch, of which blocks are made.
const SKETCH_SEGMENT_TOKENS: usize = 2048;
/// Segments of a pass that is not the last: blocks are cut anew behind it.
const PASS_SEGMENT_TOKENS: usize = 512;

/// How the optimal parser is used.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    pub(super) search: Search,
    /// Between the sketch and the last pass.
    pub(super) quick_passes: usize,
    /// Whether the last pass offers every length. Others need not: their prices come out alike.
    pub(super) is_last_thorough: bool,
}

/// The passes of a plan, with 6 MB of tables that serve all chunks.
pub(super) struct Passes {
    plan: Plan,
    optimal: Optimal,
    cache: MatchCache,
}

impl Passes {
    pub(super) fn new(plan: Plan) -> Passes {
        Passes { plan, optimal: Optimal::new(), cache: MatchCache::new() }
    }

    /// A sketch with expected prices, then passes with the prices of the pass before. Each segment
    /// of `tokens` is a block.
    pub(super) fn parse(&mut self, window: &Window, chains: &Chains, tokens: &mut Tokens) {
        let Passes { plan, optimal, cache } = self;
        cache.fill(window, chains, plan.search);
        let nice_bytes = plan.search.nice_bytes;
        let mut prices = Prices::new();
        prices.set(&expected_counts(window.slice(Window::START, window.end())));
        optimal.sketch(window, cache, nice_bytes, &prices, SKETCH_SEGMENT_TOKENS, tokens);
        split(tokens.segments_mut());
        for _ in 0..plan.quick_passes {
            let parts = parts(tokens);
            let segment_tokens = PASS_SEGMENT_TOKENS;
            optimal.parse::<QUICK>(window, cache, nice_bytes, &parts, segment_tokens, tokens);
            split(tokens.segments_mut());
        }
        let (parts, segment_tokens) = (parts(tokens), usize::MAX);
        let parse = match plan.is_last_thorough {
            true => Optimal::parse::<THOROUGH>,
            false => Optimal::parse::<QUICK>,
        };
        parse(optimal, window, cache, nice_bytes, &parts, segment_tokens, tokens);
    }
}

/// A part for each block, with the prices of its symbols.
fn parts(tokens: &Tokens) -> Vec<Part> {
    tokens.segments().iter().map(Part::of).collect()
}
