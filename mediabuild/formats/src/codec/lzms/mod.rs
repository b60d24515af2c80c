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
mod buckets;
mod costs;
mod decode;
mod delta;
mod emit;
mod encode;
mod finder;
mod level;
mod model;
mod noise;
mod parse;
mod probability;
mod quick;
mod range;
mod slots;
mod state;
mod table;
mod window;
mod x86;

pub use decode::decode;
pub(super) use encode::{Encoder, VERSIONS};
