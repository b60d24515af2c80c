//! The parts of one container, as they are stored: a sidecar from which the index can be rebuilt.
//!
//! ```text
//! table := "MBPARTS1" container:byte{32} part*
//! part  := offset:u64le size:u64le digest:byte{32}
//! ```
//! Parts ascend by (offset, size, digest).

use crate::decode::Decoder;
use crate::{DecodeError, Digest, Part};

const MAGIC: &[u8; 8] = b"MBPARTS1";
const CONTEXT: &str = "mediabuild store part table v1";

pub(crate) fn digest_of_encoding(bytes: &[u8]) -> Digest {
    Digest::derive(CONTEXT, bytes)
}

pub(crate) fn hasher() -> blake3::Hasher {
    blake3::Hasher::new_derive_key(CONTEXT)
}

/// `parts` as stored: by offset, each once.
pub(crate) fn sorted(parts: &[Part]) -> Vec<Part> {
    let mut parts = parts.to_vec();
    parts.sort_unstable_by_key(|part| (part.offset_bytes, part.size_bytes, part.digest));
    parts.dedup();
    parts
}

/// Encodes parts that are [`sorted`].
pub(crate) fn encode(container: &Digest, parts: &[Part]) -> Vec<u8> {
    let mut out = Vec::with_capacity(40 + 48 * parts.len());
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(container.as_bytes());
    for part in parts {
        out.extend_from_slice(&part.offset_bytes.to_le_bytes());
        out.extend_from_slice(&part.size_bytes.to_le_bytes());
        out.extend_from_slice(part.digest.as_bytes());
    }
    out
}

/// The container and its parts.
pub(crate) fn decode(bytes: &[u8]) -> Result<(Digest, Vec<Part>), DecodeError> {
    let mut decoder = Decoder::after(MAGIC, bytes)?;
    let container = decoder.digest()?;
    let mut parts = Vec::with_capacity(bytes.len() / 48);
    while !decoder.is_empty() {
        let (offset_bytes, size_bytes) = (decoder.u64()?, decoder.u64()?);
        parts.push(Part { digest: decoder.digest()?, offset_bytes, size_bytes });
    }
    Ok((container, parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_survives_the_round_trip_sorted_and_without_repeats() {
        let part = |offset_bytes| Part { digest: Digest::of(b"p"), offset_bytes, size_bytes: 7 };
        let container = Digest::of(b"container");
        let parts = sorted(&[part(9), part(1), part(9)]);
        let decoded = decode(&encode(&container, &parts)).unwrap();
        assert_eq!(decoded, (container, vec![part(1), part(9)]));
    }

    #[test]
    fn a_cut_table_is_refused() {
        let part = Part { digest: Digest::of(b"p"), offset_bytes: 0, size_bytes: 1 };
        let bytes = encode(&Digest::of(b"container"), &[part]);
        assert!(decode(&bytes[..bytes.len() - 1]).is_err());
    }
}
