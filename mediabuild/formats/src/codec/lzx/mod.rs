//! LZX as WIM files use it: decoder, and encoder for chunks of 32 KiB.
//!
//! Unlike cabinet files, each chunk starts afresh: recent offsets 1, previous code lengths 0. Block
//! sizes have a one-bit short form for 32768, and the x86 filter is always on. Sources: [MS-PATCH]
//! 2.x for the block structure; behaviour observed of WIM files for the differences.

mod block;
mod codes;
mod decode;
mod e8;
mod encode;
mod format;
mod lazy;
mod learned;
mod lengths;
mod match_cache;
mod nearest;
mod optimal;
mod passes;
mod prices;
mod prior;
mod split;
mod token;
mod token_codes;
mod tokens;
mod walk;

pub use decode::decode;
pub(super) use encode::{Encoder, VERSIONS};
