//! The LZX encoder: one chunk of at most 32 KiB at a time.

use super::block::BlockPlan;
use super::codes::Lengths;
use super::e8::apply_e8;
use super::lazy::{self, Effort};
use super::match_cache::{MatchCache, Search};
use super::optimal::{Optimal, Part};
use super::prices::Prices;
use super::prior::expected_counts;
use super::split::split;
use super::token::{MAX_MATCH, Token};
use super::tokens::{Segment, Tokens};
use super::walk::{QUICK, THOROUGH};
use crate::codec::Level;
use crate::codec::bit_writer::BitWriter;
use crate::codec::chains::Chains;
use crate::codec::window::Window;

/// Versions of the bytes that each level emits.
pub(in crate::codec) const VERSIONS: [u32; 3] = [3, 4, 5];

/// The only window that Microsoft's readers have.
const CHUNK_BYTES: u32 = 32768;

/// Segments of a sketch, of which blocks are made.
const SKETCH_SEGMENT_TOKENS: usize = 2048;
/// Matches of two bytes pay if they are no farther than this.
const NEAR_BYTES: usize = 256;

/// Segments of a pass that is not the last: blocks are cut anew behind it.
const PASS_SEGMENT_TOKENS: usize = 512;

/// How a level parses.
#[derive(Clone, Copy)]
enum Strategy {
    Lazy(Effort),
    Optimal(Plan),
}

/// How the optimal parser is used.
#[derive(Clone, Copy)]
struct Plan {
    search: Search,
    /// Between the sketch and the last pass.
    quick_passes: usize,
    /// Whether the last pass offers every length. Others need not: their prices come out alike.
    is_last_thorough: bool,
}

/// Candidates of level max. With 40 of them it is 0.11 % larger and takes a tenth less time.
const MAX_DEPTH: u32 = 100;

fn search(depth: u32, nice_bytes: usize) -> Search {
    let (longest_bytes, near_bytes) = (MAX_MATCH, NEAR_BYTES);
    Search { depth, nice_bytes, longest_bytes, near_bytes }
}

/// Compresses chunks, one at a time.
pub(in crate::codec) struct Encoder {
    strategy: Strategy,
    window: Window,
    chains: Chains,
    tokens: Tokens,
    writer: BitWriter,
    optimal: Optimal,
    cache: MatchCache,
}

impl Encoder {
    /// `None` for chunk sizes other than 32 KiB.
    pub(in crate::codec) fn new(chunk_bytes: u32, level: Level) -> Option<Encoder> {
        let strategy = match level {
            Level::Fast => Strategy::Lazy(Effort { depth: 24, nice_bytes: 32 }),
            Level::Default => Strategy::Optimal(Plan {
                search: search(16, 32),
                quick_passes: 0,
                is_last_thorough: false,
            }),
            Level::Max => Strategy::Optimal(Plan {
                search: search(MAX_DEPTH, MAX_MATCH),
                quick_passes: 2,
                is_last_thorough: true,
            }),
        };
        (chunk_bytes == CHUNK_BYTES).then(|| Encoder {
            strategy,
            window: Window::new(),
            chains: Chains::new(),
            tokens: Tokens::new(),
            writer: BitWriter::new(),
            optimal: Optimal::new(),
            cache: MatchCache::new(),
        })
    }

    /// The compressed form of a chunk, if it is smaller than the chunk.
    pub(in crate::codec) fn encode(&mut self, chunk: &[u8]) -> Option<&[u8]> {
        if chunk.len() > CHUNK_BYTES as usize {
            return None;
        }
        self.window.load(chunk);
        apply_e8(self.window.chunk_mut());
        self.chains.link(&self.window);
        match self.strategy {
            Strategy::Lazy(effort) => {
                lazy::parse(&self.window, &self.chains, effort, &mut self.tokens);
                split(self.tokens.segments_mut());
            }
            Strategy::Optimal(plan) => self.parse_optimally(plan),
        }
        self.write(chunk.len())
    }

    /// A sketch with expected prices, then passes with the prices of the pass before.
    fn parse_optimally(&mut self, plan: Plan) {
        let Encoder { window, chains, cache, optimal, tokens, .. } = self;
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

    /// Writes the blocks; `None` as soon as they take `limit_bytes` or more.
    fn write(&mut self, limit_bytes: usize) -> Option<&[u8]> {
        let Encoder { window, tokens, writer, .. } = self;
        writer.clear();
        let mut lengths = Lengths::new();
        for Segment { tokens: range, bytes, counts } in tokens.segments() {
            let plan = BlockPlan::new(counts, bytes.len(), &lengths);
            if (writer.bit_count() + plan.bit_count()).div_ceil(16) * 2 >= limit_bytes {
                return None;
            }
            let recent = match plan.is_plain() {
                true => recent_offsets(&tokens.all()[..range.end]),
                false => [0; 3],
            };
            let plain = window.slice(bytes.start, bytes.end);
            plan.write(&tokens.all()[range.clone()], plain, &recent, writer);
            lengths.clone_from(plan.lengths());
        }
        let written = writer.finish();
        (written.len() < limit_bytes).then_some(written)
    }
}

/// A part for each block, with the prices of its symbols.
fn parts(tokens: &Tokens) -> Vec<Part> {
    tokens.segments().iter().map(Part::of).collect()
}

/// The recent offsets behind these tokens, the first of a chunk.
fn recent_offsets(tokens: &[Token]) -> [u32; 3] {
    let mut recent = [1; 3];
    tokens.iter().for_each(|token| token.update(&mut recent));
    recent
}
