//! The LZX encoder: one chunk of at most 32 KiB at a time.

use super::block::BlockPlan;
use super::codes::Lengths;
use super::e8::apply_e8;
use super::lazy::{self, Effort};
use super::match_cache::Search;
use super::passes::{Passes, Plan};
use super::split::split;
use super::token::Token;
use super::tokens::{Segment, Tokens};
use crate::codec::Level;
use crate::codec::bit_writer::BitWriter;
use crate::codec::chains::Chains;
use crate::codec::window::Window;

/// Versions of the bytes that each level emits.
pub(in crate::codec) const VERSIONS: [u32; 3] = [4, 7, 8];

/// The only window that Microsoft's readers have.
const CHUNK_BYTES: u32 = 32768;

/// How a level parses.
enum Strategy {
    Lazy(Effort, Box<Chains>),
    Optimal(Box<Passes>),
}

/// Candidates of level max, and what it takes without a look inside. In parts of the size and
/// multiples of the throughput of wimlib's LZX:100, on 24 MB of programs:
///
/// - 20 and 64: 1.0004 and 1.40
/// - 24 and 96: 0.9999 and 1.33
/// - 40 and 128: 0.9994 and 1.23
/// - 100 and 257: 0.9991 and 1.12
const MAX_DEPTH: u32 = 24;
const MAX_NICE_BYTES: usize = 96;

fn strategy(level: Level) -> Strategy {
    match level {
        Level::Fast => {
            // With a depth of 24, chunks are 0.14 % smaller and a fourteenth more time goes by.
            Strategy::Lazy(Effort { depth: 16, nice_bytes: 32 }, Box::new(Chains::new()))
        }
        Level::Default => {
            optimal(Plan { search: Search { depth: 4, nice_bytes: 32 }, is_thorough: false })
        }
        Level::Max => optimal(Plan {
            search: Search { depth: MAX_DEPTH, nice_bytes: MAX_NICE_BYTES },
            is_thorough: true,
        }),
    }
}

fn optimal(plan: Plan) -> Strategy {
    Strategy::Optimal(Box::new(Passes::new(plan)))
}

/// Compresses chunks, one at a time.
pub(in crate::codec) struct Encoder {
    strategy: Strategy,
    window: Window,
    tokens: Tokens,
    writer: BitWriter,
}

impl Encoder {
    /// `None` for chunk sizes other than 32 KiB.
    pub(in crate::codec) fn new(chunk_bytes: u32, level: Level) -> Option<Encoder> {
        (chunk_bytes == CHUNK_BYTES).then(|| Encoder {
            strategy: strategy(level),
            window: Window::new(),
            tokens: Tokens::new(),
            writer: BitWriter::new(),
        })
    }

    /// The compressed form of a chunk, if it is smaller than the chunk.
    pub(in crate::codec) fn encode(&mut self, chunk: &[u8]) -> Option<&[u8]> {
        if chunk.len() > CHUNK_BYTES as usize {
            return None;
        }
        self.window.load(chunk);
        apply_e8(self.window.chunk_mut());
        let Encoder { strategy, window, tokens, .. } = self;
        match strategy {
            Strategy::Lazy(effort, chains) => {
                chains.link(window);
                lazy::parse(window, chains, *effort, tokens);
                split(tokens.segments_mut());
            }
            Strategy::Optimal(passes) => passes.parse(window, tokens),
        }
        self.write(chunk.len())
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

/// The recent offsets behind these tokens, the first of a chunk.
fn recent_offsets(tokens: &[Token]) -> [u32; 3] {
    let mut recent = [1; 3];
    tokens.iter().for_each(|token| token.update(&mut recent));
    recent
}
