//! `Encoder`: the codecs' encoders behind one interface.

use super::lzms;
use super::lzx;
use super::probe::Probe;
use super::xpress;

/// A compression format of chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// XPRESS with Huffman codes.
    Xpress,
    /// LZX as WIM files use it.
    Lzx,
    /// LZMS.
    Lzms,
}

/// How much time is spent for how few bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// For builds in development.
    Fast,
    /// What media that are given away deserve.
    Default,
    /// Every byte counts.
    Max,
}

impl Level {
    /// All levels, the fastest first.
    pub const ALL: [Level; 3] = [Level::Fast, Level::Default, Level::Max];

    /// `fast`, `default` or `max`.
    pub fn name(self) -> &'static str {
        match self {
            Level::Fast => "fast",
            Level::Default => "default",
            Level::Max => "max",
        }
    }

    /// The level of that name.
    pub fn from_name(name: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.name() == name)
    }
}

/// Compresses chunks. Its tables are allocated once; what it emits depends only on codec, chunk
/// size, level and chunk, never on earlier chunks.
pub struct Encoder {
    probe: Probe,
    inner: Inner,
}

enum Inner {
    Xpress(Box<xpress::Encoder>),
    Lzx(Box<lzx::Encoder>),
    Lzms(Box<lzms::Encoder>),
}

impl Encoder {
    /// An encoder for chunks of at most `chunk_bytes`; `None` for a size that the codec does not
    /// have, or a level that is not there.
    pub fn new(codec: Codec, chunk_bytes: u32, level: Level) -> Option<Encoder> {
        let inner = match codec {
            Codec::Lzx => Inner::Lzx(Box::new(lzx::Encoder::new(chunk_bytes, level)?)),
            Codec::Xpress => Inner::Xpress(Box::new(xpress::Encoder::new(chunk_bytes, level)?)),
            Codec::Lzms => Inner::Lzms(Box::new(lzms::Encoder::new(chunk_bytes, level)?)),
        };
        Some(Encoder { probe: Probe::new(), inner })
    }

    /// Appends the compressed form of `chunk`, if it is smaller than `chunk`. Else returns false
    /// and leaves `output` alone: the chunk is stored raw.
    pub fn encode(&mut self, chunk: &[u8], output: &mut Vec<u8>) -> bool {
        let compressed = match &mut self.inner {
            // A chunk of LZMS may have copies of noise far apart: its encoder judges smaller blocks.
            Inner::Lzms(encoder) => return encoder.encode(chunk, output),
            _ if self.probe.is_incompressible(chunk) => return false,
            Inner::Xpress(encoder) => encoder.encode(chunk),
            Inner::Lzx(encoder) => encoder.encode(chunk),
        };
        let Some(compressed) = compressed else { return false };
        output.extend_from_slice(compressed);
        true
    }
}

/// The version of the emitted bytes, for keys of caches: raised with any change of them.
pub fn encoder_version(codec: Codec, level: Level) -> u32 {
    match codec {
        Codec::Lzx => lzx::VERSIONS[level as usize],
        Codec::Xpress => xpress::VERSIONS[level as usize],
        Codec::Lzms => lzms::VERSIONS[level as usize],
    }
}
