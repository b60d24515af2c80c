//! The XPRESS encoder: one chunk of at most 64 KiB at a time.

use super::format::{LONG_LENGTH, LONGER_LENGTH, SYMBOLS, TABLE_BYTES};
use super::lazy::{self, Effort};
use super::token::{Token, length_byte_count, offset_bit_count};
use super::word_writer::WordWriter;
use crate::codec::Level;
use crate::codec::boxed_array;
use crate::codec::chains::Chains;
use crate::codec::code_lengths::{set_code_lengths, set_codes};
use crate::codec::window::Window;

/// Versions of the bytes that each level emits.
pub(in crate::codec) const VERSIONS: [u32; 3] = [2, 2, 2];

/// Chunk sizes that Microsoft's readers have.
const CHUNK_BYTES: [u32; 5] = [4096, 8192, 16384, 32768, 65536];
const CODE_MAX_BITS: usize = 15;
/// Stands behind the last token. Decoders that know the size of their output do not need it, but
/// Microsoft's ask for it.
const END_OF_DATA: usize = 256;
/// A power of two, so that positions wrap instead of being checked.
const ROOM: usize = 1 << 16;

/// Compresses chunks, one at a time.
pub(in crate::codec) struct Encoder {
    chunk_bytes: usize,
    effort: Effort,
    window: Window,
    chains: Chains,
    tokens: Tokens,
    writer: WordWriter,
}

/// The tokens of a chunk, counted as they come.
pub(super) struct Tokens {
    tokens: Box<[Token; ROOM]>,
    count: usize,
    symbols: [u32; SYMBOLS],
    /// Bytes of lengths between the words.
    length_bytes: usize,
}

impl Tokens {
    fn new() -> Tokens {
        let tokens = boxed_array(Token::literal(0));
        Tokens { tokens, count: 0, symbols: [0; SYMBOLS], length_bytes: 0 }
    }

    pub(super) fn clear(&mut self) {
        self.symbols.fill(0);
        self.symbols[END_OF_DATA] = 1;
        (self.count, self.length_bytes) = (0, 0);
    }

    #[inline(always)]
    pub(super) fn push(&mut self, token: Token) {
        self.symbols[token.symbol()] += 1;
        self.length_bytes += token.long_length().map_or(0, length_byte_count);
        self.tokens[self.count & (ROOM - 1)] = token;
        self.count += 1;
    }
}

impl Encoder {
    /// `None` for chunk sizes that the format does not have.
    pub(in crate::codec) fn new(chunk_bytes: u32, level: Level) -> Option<Encoder> {
        let effort = match level {
            Level::Fast => Effort { depth: 8, next_depth: 4, nice_bytes: 24 },
            Level::Default => Effort { depth: 32, next_depth: 8, nice_bytes: 64 },
            Level::Max => Effort { depth: 200, next_depth: 100, nice_bytes: 256 },
        };
        CHUNK_BYTES.contains(&chunk_bytes).then(|| Encoder {
            chunk_bytes: chunk_bytes as usize,
            effort,
            window: Window::new(),
            chains: Chains::new(),
            tokens: Tokens::new(),
            writer: WordWriter::new(),
        })
    }

    /// The compressed form of a chunk, if it is smaller than the chunk.
    pub(in crate::codec) fn encode(&mut self, chunk: &[u8]) -> Option<&[u8]> {
        if chunk.len() > self.chunk_bytes || chunk.len() <= TABLE_BYTES {
            return None;
        }
        self.window.load(chunk);
        self.chains.link(&self.window);
        lazy::parse(&self.window, &self.chains, self.effort, &mut self.tokens);
        self.write(chunk.len())
    }

    fn write(&mut self, limit_bytes: usize) -> Option<&[u8]> {
        let mut lengths = [0; SYMBOLS];
        set_code_lengths(&self.tokens.symbols, CODE_MAX_BITS, &mut lengths);
        if self.written_bytes(&lengths) >= limit_bytes {
            return None;
        }
        let table: [u8; TABLE_BYTES] =
            std::array::from_fn(|index| lengths[2 * index] | lengths[2 * index + 1] << 4);
        self.writer.start(&table);
        write_tokens(&self.tokens.tokens[..self.tokens.count], &codes(&lengths), &mut self.writer);
        let written = self.writer.finish();
        (written.len() < limit_bytes).then_some(written)
    }

    /// About how many bytes will be written, never more than are.
    fn written_bytes(&self, lengths: &[u8; SYMBOLS]) -> usize {
        let counts = self.tokens.symbols.iter().zip(lengths).enumerate();
        let bits: u32 = counts
            .map(|(symbol, (count, &length))| {
                count * (u32::from(length) + offset_bit_count(symbol))
            })
            .sum();
        TABLE_BYTES + bits as usize / 8 + self.tokens.length_bytes
    }
}

/// Codes by symbol: bits in the low half, their count at 16, that of the offset's at 24.
fn codes(lengths: &[u8; SYMBOLS]) -> [u32; SYMBOLS] {
    let mut bits = [0; SYMBOLS];
    set_codes(lengths, &mut bits);
    std::array::from_fn(|symbol| {
        let offset_bits = offset_bit_count(symbol);
        u32::from(bits[symbol]) | u32::from(lengths[symbol]) << 16 | offset_bits << 24
    })
}

fn write_tokens(tokens: &[Token], codes: &[u32; SYMBOLS], writer: &mut WordWriter) {
    for &token in tokens {
        let code = codes[token.symbol()];
        writer.put(code & 0xffff, code >> 16 & 0xff);
        if token.symbol() < 256 {
            continue;
        }
        if let Some(beyond) = token.long_length() {
            write_length(beyond, writer);
        }
        writer.put(token.offset_bits(), code >> 24);
    }
    let code = codes[END_OF_DATA];
    writer.put(code & 0xffff, code >> 16 & 0xff);
}

/// A length beyond what a symbol can tell: one byte, or all ones and the whole length.
fn write_length(beyond: usize, writer: &mut WordWriter) {
    match u8::try_from(beyond) {
        Ok(byte) if byte < LONGER_LENGTH => writer.bytes(&[byte]),
        _ => {
            let [low, high] = ((beyond + LONG_LENGTH) as u16).to_le_bytes();
            writer.bytes(&[LONGER_LENGTH, low, high]);
        }
    }
}
