//! `Coding`: how the resources of one WIM are stored, and what a definition says of that.

pub(crate) use mediabuild_formats::codec::{Codec, Level};
use mediabuild_formats::codec::{Encoder, encoder_version};
use mediabuild_formats::wim::{Compression, Header};
use serde::Serialize;

use crate::failure::Failure;

/// Codec, chunk size and level of a WIM's resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Coding {
    pub(crate) codec: Codec,
    pub(crate) chunk_bytes: u32,
    pub(crate) level: Level,
}

impl Coding {
    /// What Windows itself writes, and every reader reads.
    const LZX: Coding = Coding { codec: Codec::Lzx, chunk_bytes: 32 << 10, level: Level::Default };

    /// What the header of a solid WIM says, and its metadata has: chunks as Windows writes them there.
    pub(crate) fn beside_solid(self) -> Coding {
        Coding { chunk_bytes: 128 << 10, ..self }
    }

    /// The codec as a WIM's header says it.
    pub(crate) fn compression(self) -> Compression {
        match self.codec {
            Codec::Xpress => Compression::Xpress,
            Codec::Lzx => Compression::Lzx,
            Codec::Lzms => Compression::Lzms,
        }
    }

    /// Whether the resources of a WIM with that header can be used as they are.
    pub(crate) fn is_of(self, header: &Header) -> bool {
        header.compression() == self.compression() && header.chunk_bytes == self.chunk_bytes
    }

    /// Raised with any change of what the encoder emits.
    pub(crate) fn version(self) -> u32 {
        encoder_version(self.codec, self.level)
    }

    /// A new encoder: of this level, or of the next lower one that the codec has. When it gets this
    /// one, its version there changes, and so does the identity of what is made with it.
    pub(crate) fn encoder(self) -> Result<Encoder, Failure> {
        let levels = Level::ALL.into_iter().rev().filter(|level| *level <= self.level);
        let mut encoders =
            levels.filter_map(|level| Encoder::new(self.codec, self.chunk_bytes, level));
        encoders.next().ok_or_else(|| {
            let (codec, chunk_bytes) = (codec_name(self.codec), self.chunk_bytes);
            Failure::build(format!("there is no {codec} encoder for chunks of {chunk_bytes} bytes"))
                .help("write `compression \"lzx\"`")
        })
    }
}

/// What a definition says of compression, as the derivation's identity has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct CodingRequest {
    /// `None`: as the base has it.
    said: Option<Said>,
    /// A boot manager must read it: chunks of 32 KiB, never LZMS.
    bootable: bool,
    /// Versions of the encoders that may be used: another version is another output.
    encoders: Vec<(&'static str, u32)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
enum Said {
    Uncompressed,
    Compressed { codec: &'static str, chunk_bytes: u32, level: &'static str, solid: bool },
}

impl Default for CodingRequest {
    fn default() -> Self {
        CodingRequest {
            said: None,
            bootable: false,
            encoders: encoders(&[Codec::Xpress, Codec::Lzx], Level::Default),
        }
    }
}

fn encoders(codecs: &[Codec], level: Level) -> Vec<(&'static str, u32)> {
    codecs.iter().map(|codec| (codec_name(*codec), encoder_version(*codec, level))).collect()
}

impl CodingRequest {
    /// Nothing is compressed.
    pub(crate) fn uncompressed() -> Self {
        let (said, encoders) = (Some(Said::Uncompressed), Vec::new());
        CodingRequest { said, bootable: false, encoders }
    }

    /// Everything is compressed like this, if it is not already.
    pub(crate) fn compressed(coding: Coding, solid: bool) -> Self {
        let (codec, level) = (codec_name(coding.codec), coding.level.name());
        let said = Said::Compressed { codec, chunk_bytes: coding.chunk_bytes, level, solid };
        let encoders = encoders(&[coding.codec], coding.level);
        CodingRequest { said: Some(said), bootable: false, encoders }
    }

    /// The same for a WIM that is started.
    #[must_use]
    pub(crate) fn bootable(self) -> Self {
        CodingRequest { bootable: true, ..self }
    }

    /// Whether many files are to share a resource.
    pub(crate) fn is_solid(&self) -> bool {
        matches!(self.said, Some(Said::Compressed { solid: true, .. }))
    }

    /// What compressing holds in memory: three windows, plain and encoded, on top of the digests; or
    /// solid chunks, of which an encoder takes some four times as much.
    pub(crate) fn memory_mib(&self) -> u64 {
        if self.is_solid() { 1024 } else { 192 }
    }

    /// How the output is coded that is made from a base with that header; `None`: not at all. What
    /// was not asked for is never LZMS: many a reader lacks it, and it takes long.
    pub(crate) fn coding(&self, base: Option<&Header>) -> Result<Option<Coding>, Failure> {
        let coding = self.wanted(base);
        if let (Some(_), Some(coding)) = (self.said, coding) {
            coding.encoder()?;
        }
        Ok(coding)
    }

    fn wanted(&self, base: Option<&Header>) -> Option<Coding> {
        match self.said {
            Some(Said::Uncompressed) => None,
            Some(Said::Compressed { codec, chunk_bytes, level, .. }) => {
                let codec = codec_of(codec)?;
                Some(Coding { codec, chunk_bytes, level: Level::from_name(level)? })
            }
            None => of_base(base).map(|coding| match self.bootable {
                true if coding.chunk_bytes != Coding::LZX.chunk_bytes => Coding::LZX,
                _ => coding,
            }),
        }
    }
}

fn of_base(base: Option<&Header>) -> Option<Coding> {
    let Some(header) = base else { return Some(Coding::LZX) };
    match header.compression() {
        Compression::None => None,
        Compression::Xpress if XPRESS_CHUNKS.contains(&header.chunk_bytes) => {
            Some(Coding { codec: Codec::Xpress, chunk_bytes: header.chunk_bytes, ..Coding::LZX })
        }
        Compression::Xpress | Compression::Lzx | Compression::Lzms => Some(Coding::LZX),
    }
}

/// Chunk sizes of XPRESS that Windows reads.
const XPRESS_CHUNKS: [u32; 5] = [4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10];

const CODECS: [(&str, Codec); 3] =
    [("xpress", Codec::Xpress), ("lzx", Codec::Lzx), ("lzms", Codec::Lzms)];

fn codec_of(name: &str) -> Option<Codec> {
    CODECS.iter().find(|(known, _)| *known == name).map(|(_, codec)| *codec)
}

fn codec_name(codec: Codec) -> &'static str {
    CODECS.iter().find(|(_, known)| *known == codec).map_or("", |(name, _)| name)
}
