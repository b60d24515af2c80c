//! `Encoder`: compresses chunks.

use super::buckets::CHUNK_MAX_BYTES;
use super::costs::Costs;
use super::emit::Emitter;
use super::finder::Finder;
use super::level::Settings;
use super::noise::{BLOCK_BYTES, is_noise};
use super::parse::Parser;
use super::window::Window;
use super::{quick, x86};
use crate::codec::Level;

/// By level: the version of the emitted bytes, raised with any change of them.
pub(in super::super) const VERSIONS: [u32; 3] = [2, 2, 2];

/// Smallest chunk of the format.
const CHUNK_MIN_BYTES: u32 = 1 << 15;

/// Compresses chunks of up to 64 MiB. Tables are allocated once.
pub(in super::super) struct Encoder {
    chunk_bytes: u32,
    settings: Settings,
    window: Window,
    emitter: Emitter,
    costs: Costs,
    finder: Finder,
    parser: Parser,
}

impl Encoder {
    /// `None` for a chunk size that is not a power of two from 32 KiB to 64 MiB.
    pub(in super::super) fn new(chunk_bytes: u32, level: Level) -> Option<Encoder> {
        if !chunk_bytes.is_power_of_two()
            || !(CHUNK_MIN_BYTES..=CHUNK_MAX_BYTES).contains(&chunk_bytes)
        {
            return None;
        }
        let settings = Settings::of(level);
        Some(Encoder {
            chunk_bytes,
            settings,
            window: Window::new(),
            emitter: Emitter::new(),
            costs: Costs::new(),
            finder: Finder::new(chunk_bytes, &settings),
            parser: Parser::new(settings.nice_length),
        })
    }

    /// Appends the compressed form of a chunk, if it is smaller than the chunk and the chunk not
    /// larger than the encoder's.
    pub(in super::super) fn encode(&mut self, chunk: &[u8], output: &mut Vec<u8>) -> bool {
        if chunk.len() > self.chunk_bytes as usize {
            return false;
        }
        self.window.load(chunk);
        x86::translate(self.window.chunk_mut());
        self.emitter.start(chunk.len());
        self.costs.start();
        self.finder.clear();
        let (mut position, end) = (0, chunk.len());
        while position < end {
            let block = position..end.min(position + BLOCK_BYTES);
            position = self.block(block);
            if self.emitter.size_bytes() >= end {
                return false;
            }
        }
        let start = output.len();
        self.emitter.finish(output);
        if output.len() - start < end {
            return true;
        }
        output.truncate(start);
        false
    }

    /// Emits items for a block; returns where the last one ends, at the block's end or behind it.
    fn block(&mut self, block: std::ops::Range<usize>) -> usize {
        let Encoder { settings, window, emitter, costs, finder, parser, .. } = self;
        if is_noise(window.slice(&block)) {
            return quick::parse_noise(window, finder, emitter, block);
        }
        if !settings.is_weighed {
            return quick::parse(window, finder, emitter, block);
        }
        let mut position = block.start;
        while position < block.end {
            let batch = position..finder.search(window, position, block.end);
            let batch_end = batch.end;
            position = parser.batch(window, finder, costs, emitter, batch);
            finder.skip(window, batch_end..position);
        }
        position
    }
}
