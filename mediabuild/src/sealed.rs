//! Sealed bytes: a digest of bytes and of the key they are kept under, behind them. The index of a
//! store would hand out a flipped bit as it is; a cache must not.

use mediabuild_store::Digest;

const SEAL_BYTES: usize = 32;

/// `payload` with its seal.
pub(crate) fn seal(key: &Digest, mut payload: Vec<u8>) -> Vec<u8> {
    let seal = seal_of(key, &payload);
    payload.extend_from_slice(seal.as_bytes());
    payload
}

/// The payload, if it is as it was sealed under `key`.
pub(crate) fn unseal<'a>(key: &Digest, sealed: &'a [u8]) -> Option<&'a [u8]> {
    let (payload, seal) = sealed.split_last_chunk::<SEAL_BYTES>()?;
    (seal_of(key, payload).as_bytes() == seal).then_some(payload)
}

fn seal_of(key: &Digest, payload: &[u8]) -> Digest {
    Digest::derive("mediabuild 2026-11 seal", &[key.as_bytes(), payload].concat())
}
