//! The scenarios, and the few lines most of them start with.

pub(crate) mod blob;
pub(crate) mod directory;
pub(crate) mod part;
pub(crate) mod recipe;
pub(crate) mod record;

use std::io::Read;

use mediabuild_store::{Batch, Content, DerivationId, Digest, Output, Store};

/// Puts into a batch what `put` puts, and commits it.
pub(crate) fn commit<T>(store: &dyn Store, put: impl FnOnce(&mut dyn Batch) -> T) -> T {
    let mut batch = store.batch().unwrap();
    let result = put(&mut *batch);
    batch.commit().unwrap();
    result
}

/// Stores one blob.
pub(crate) fn put(store: &dyn Store, bytes: &[u8]) -> Content {
    commit(store, |batch| batch.put_bytes(bytes).unwrap())
}

/// All bytes of a content.
pub(crate) fn read(store: &dyn Store, digest: &Digest) -> Vec<u8> {
    let mut reader = store.open(digest).unwrap();
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    assert_eq!(reader.size_bytes(), bytes.len() as u64);
    bytes
}

/// Bytes that do not repeat, the same for the same seed.
pub(crate) fn noise(seed: u64, size_bytes: usize) -> Vec<u8> {
    let mut bytes = vec![0; size_bytes];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

pub(crate) fn id(text: &str) -> DerivationId {
    DerivationId(Digest::of(text.as_bytes()))
}

pub(crate) fn output(content: Content) -> Output {
    Output::Content(content)
}
