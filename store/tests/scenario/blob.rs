//! Blobs: bytes in, the same bytes out.

use std::io::{self, Read};

use mediabuild_store::{Content, Digest, Directory, Error, Store};

use super::{commit, noise, put, read};

/// Below, at and above the sizes at which a disk store changes its ways.
const SIZES: [usize; 7] = [1, 1000, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20, 5_000_001];

pub(crate) fn a_blob_comes_back_as_it_was(store: &dyn Store) {
    for size_bytes in SIZES {
        let bytes = noise(size_bytes as u64, size_bytes);
        let streamed = commit(store, |batch| batch.put_blob(&mut &bytes[..], &mut |_| ()).unwrap());
        assert_eq!(streamed.size_bytes, size_bytes as u64);
        assert_eq!(store.find(&streamed.digest).unwrap(), Some(streamed));
        assert_eq!(read(store, &streamed.digest), bytes);
        assert_eq!(put(store, &bytes), streamed);
    }
}

pub(crate) fn a_blob_is_named_by_plain_blake3(store: &dyn Store) {
    let digest = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85";
    assert_eq!(put(store, b"abc").digest.to_string(), digest);
}

pub(crate) fn the_empty_blob_is_a_blob(store: &dyn Store) {
    let content = commit(store, |batch| batch.put_blob(&mut &b""[..], &mut |_| ()).unwrap());
    assert_eq!(content.digest, Digest::of(b""));
    assert_eq!(read(store, &content.digest), b"");
    assert_eq!(store.open_at(&content.digest).unwrap().size_bytes(), 0);
}

pub(crate) fn every_piece_is_observed_once(store: &dyn Store) {
    for size_bytes in [0, 7, 1 << 20, (2 << 20) + 3] {
        let bytes = noise(1, size_bytes);
        let mut seen = Vec::new();
        commit(store, |batch| {
            batch.put_blob(&mut &bytes[..], &mut |piece| seen.extend_from_slice(piece)).unwrap()
        });
        assert_eq!(seen, bytes);
    }
}

/// Gives some bytes, then fails.
struct Broken(usize, fn() -> io::Error);

impl Read for Broken {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(self.1());
        }
        let size_bytes = out.len().min(self.0);
        out[..size_bytes].fill(1);
        self.0 -= size_bytes;
        Ok(size_bytes)
    }
}

pub(crate) fn an_error_of_the_source_is_told_apart(store: &dyn Store) {
    for size_bytes in [0, 10, 2 << 20] {
        let mut batch = store.batch().unwrap();
        let mut source = Broken(size_bytes, || io::Error::other("unplugged"));
        let error = batch.put_blob(&mut source, &mut |_| ()).unwrap_err();
        assert!(matches!(error, Error::Source(_)), "{error}");
        // The batch goes on: nothing of the broken blob is in it.
        let content = batch.put_bytes(b"after").unwrap();
        let large = batch.put_bytes(&noise(9, 2 << 20)).unwrap();
        batch.commit().unwrap();
        assert_eq!(read(store, &content.digest), b"after");
        assert_eq!(read(store, &large.digest), noise(9, 2 << 20));
    }
}

pub(crate) fn a_caller_that_stops_is_cancelled(store: &dyn Store) {
    let mut batch = store.batch().unwrap();
    let mut source = Broken(2 << 20, || Error::Cancelled.into());
    let error = batch.put_blob(&mut source, &mut |_| ()).unwrap_err();
    assert!(matches!(error, Error::Cancelled), "{error}");
}

pub(crate) fn equal_blobs_are_one(store: &dyn Store) {
    let bytes = noise(3, 2 << 20);
    let (one, two) = commit(store, |batch| {
        (batch.put_bytes(&bytes).unwrap(), batch.put_blob(&mut &bytes[..], &mut |_| ()).unwrap())
    });
    assert_eq!(one, two);
    assert_eq!(put(store, &bytes), one);
    assert_eq!(read(store, &one.digest), bytes);
}

pub(crate) fn an_unknown_digest_is_not_found(store: &dyn Store) {
    let digest = Digest::of(b"nobody put this");
    assert_eq!(store.find(&digest).unwrap(), None);
    assert_eq!(store.recipe(&digest).unwrap(), None);
    assert!(matches!(store.open(&digest), Err(Error::Missing(found)) if found == digest));
    assert!(matches!(store.open_at(&digest), Err(Error::Missing(_))));
    assert!(matches!(store.directory(&digest), Err(Error::Missing(_))));
    assert_eq!(store.parts(&digest).unwrap(), []);
}

pub(crate) fn many_are_found_in_the_order_they_were_asked_for(store: &dyn Store) {
    let directory = commit(store, |batch| batch.put_directory(&Directory::new()).unwrap());
    let contents: Vec<Content> = commit(store, |batch| {
        (0..600).map(|seed| batch.put_bytes(&noise(seed, 50)).unwrap()).collect()
    });
    let mut digests = vec![directory];
    let mut expected = vec![None];
    for (index, content) in contents.iter().rev().enumerate() {
        digests.extend([content.digest, Digest::of(&index.to_le_bytes()), content.digest]);
        expected.extend([Some(*content), None, Some(*content)]);
    }
    assert_eq!(store.find_many(&digests).unwrap(), expected);
    assert_eq!(store.find_many(&[]).unwrap(), []);
}
