//! Codecs of single chunks: LZX and XPRESS decoders.
//!
//! A chunk is self-contained, so callers may decode many at once. Every decoder fills its output
//! exactly or fails; it never reads outside its input, whatever the bytes.

mod bits;
mod copy;
mod huffman;
pub mod lzx;
pub mod xpress;

/// Why a chunk cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("corrupt {codec} data at output byte {output_offset}: expected {expected}")]
pub struct Error {
    /// "LZX" or "XPRESS".
    pub codec: &'static str,
    /// How many bytes had been decoded.
    pub output_offset: usize,
    /// What the format demands there.
    pub expected: &'static str,
}
