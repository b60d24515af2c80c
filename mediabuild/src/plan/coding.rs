//! What definitions say of compression and of a WIM's files → what builders are asked for.

use mediabuild_schema::definition::{self, Compression, Spanned, WimOutput};

use crate::builders::coding::{Codec, Coding, CodingRequest, Level};
use crate::builders::delivery::{Delivery, Split};

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

/// In which files a WIM comes; `name` is that of the first part, if there are several.
pub(super) fn delivery(said: &WimOutput, name: &str) -> Delivery {
    let split = said.split_bytes.as_ref();
    let split = split.map(|bytes| Split { name: name.to_owned(), part_bytes: bytes.value });
    Delivery { split, integrity: said.has_integrity() }
}
