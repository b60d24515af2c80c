//! Reading our own encodings: a bounds-checked cursor over bytes, little-endian throughout.

use crate::Digest;

/// The bytes are not what the encoder of this kind writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} (at byte {offset_bytes})")]
pub struct DecodeError {
    /// Which rule is broken.
    pub what: &'static str,
    /// Where it was noticed.
    pub offset_bytes: usize,
}

/// What is still to be decoded. Never reads past its end, and never allocates.
pub(crate) struct Decoder<'a> {
    bytes: &'a [u8],
    offset_bytes: usize,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Decoder { bytes, offset_bytes: 0 }
    }

    /// Starts behind `magic`, the first bytes of every encoding of one kind and version.
    pub(crate) fn after(magic: &[u8], bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut decoder = Decoder::new(bytes);
        match decoder.take(magic.len() as u64)? == magic {
            true => Ok(decoder),
            false => Err(decoder.error("another kind or version")),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.offset_bytes == self.bytes.len()
    }

    pub(crate) fn error(&self, what: &'static str) -> DecodeError {
        DecodeError { what, offset_bytes: self.offset_bytes }
    }

    pub(crate) fn take(&mut self, size_bytes: u64) -> Result<&'a [u8], DecodeError> {
        let rest = &self.bytes[self.offset_bytes..];
        if size_bytes > rest.len() as u64 {
            return Err(self.error("ends early"));
        }
        self.offset_bytes += size_bytes as usize;
        Ok(&rest[..size_bytes as usize])
    }

    pub(crate) fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(self.take(1)?[0])
    }

    pub(crate) fn u64(&mut self) -> Result<u64, DecodeError> {
        let bytes = self.take(8)?.try_into().expect("eight bytes were taken");
        Ok(u64::from_le_bytes(bytes))
    }

    pub(crate) fn digest(&mut self) -> Result<Digest, DecodeError> {
        let bytes = self.take(32)?.try_into().expect("32 bytes were taken");
        Ok(Digest::from_bytes(bytes))
    }
}
