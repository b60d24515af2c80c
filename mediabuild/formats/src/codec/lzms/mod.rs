//! LZMS, the codec of solid resources (`.esd`).
//!
//! ```text
//! chunk: words of the range coder, from the start on · words of codes and extra bits, from the end
//! ```
//! Decisions between kinds of items are range-coded with adaptive probabilities; symbols have
//! Huffman codes that adapt as well. Nothing describes the codes, so a chunk is one stream in which
//! everything depends on what was before. Source: behaviour observed of WIM files.

mod adaptive_huffman;
mod bits;
mod decode;
mod model;
mod probability;
mod range;
mod slots;
mod table;
mod x86;

pub use decode::decode;
