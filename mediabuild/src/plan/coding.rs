//! What definitions say of compression → what builders are asked for.

use mediabuild_schema::definition::{self, Compression, Spanned};

use crate::builders::coding::{Codec, Coding, CodingRequest, Level};

/// The request of a `compression` node, if there is one.
pub(super) fn coding(said: Option<&Spanned<Compression>>) -> CodingRequest {
    let Some(Spanned { value: said, .. }) = said else { return CodingRequest::default() };
    let codec = match said.codec {
        definition::Codec::None => return CodingRequest::uncompressed(),
        definition::Codec::Xpress => Codec::Xpress,
        definition::Codec::Lzx => Codec::Lzx,
        definition::Codec::Lzms => Codec::Lzms,
    };
    let level = match said.level {
        definition::Level::Fast => Level::Fast,
        definition::Level::Default => Level::Default,
        definition::Level::Max => Level::Max,
    };
    CodingRequest::compressed(Coding { codec, chunk_bytes: said.chunk_bytes, level }, said.solid)
}
