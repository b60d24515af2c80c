//! XPRESS with Huffman codes. Source: [MS-XCA] 2.1 and 2.2, "LZ77+Huffman".
//!
//! ```text
//! 256 bytes: 512 code lengths of 4 bits, low half first · symbols, with lengths between words
//! ```

mod decode;

pub use decode::decode;
