//! XPRESS with Huffman codes: decoder, and encoder for chunks of 4 to 64 KiB. Source: [MS-XCA]
//! 2.1 and 2.2, "LZ77+Huffman".
//!
//! ```text
//! 256 bytes: 512 code lengths of 4 bits, low half first · symbols, with lengths between words
//! ```

mod decode;
mod encode;
mod format;
mod lazy;
mod token;
mod word_writer;

pub use decode::decode;
pub(super) use encode::{Encoder, VERSIONS};
