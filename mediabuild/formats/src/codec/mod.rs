//! Codecs of single chunks: LZX, XPRESS and LZMS.
//!
//! A chunk is self-contained, so callers may decode or encode many at once. Every decoder fills its
//! output exactly or fails; it never reads outside its input, whatever the bytes. What an encoder
//! emits depends on nothing but its settings and the chunk; it computes with integers only.

mod bit_writer;
mod bits;
mod chains;
mod code_lengths;
mod copy;
mod encoder;
mod equal_length;
mod huffman;
mod log2;
pub mod lzms;
pub mod lzx;
mod probe;
mod window;
pub mod xpress;

pub use encoder::{Codec, Encoder, Level, encoder_version};

/// Why a chunk cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("corrupt {codec} data at output byte {output_offset}: expected {expected}")]
pub struct Error {
    /// "LZMS", "LZX" or "XPRESS".
    pub codec: &'static str,
    /// How many bytes had been decoded.
    pub output_offset: usize,
    /// What the format demands there.
    pub expected: &'static str,
}

/// An array on the heap, made without a copy of it on the stack.
fn boxed_array<T: Copy, const SIZE: usize>(value: T) -> Box<[T; SIZE]> {
    match vec![value; SIZE].into_boxed_slice().try_into() {
        Ok(array) => array,
        Err(_) => unreachable!("a vector of SIZE elements has that size"),
    }
}
