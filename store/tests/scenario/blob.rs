//! Blobs: bytes in, the same bytes out.

use std::fs::File;
use std::io::{self, Read, Seek, Write};

use mediabuild_store::{Blobs, Content, Digest, Directory, Error, Store};

use super::{commit, noise, put, read};

/// Below, at and above the sizes at which a disk store changes its ways.
const SIZES: [usize; 7] = [1, 1000, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20, 5_000_001];

pub(crate) fn a_blob_comes_back_as_it_was(store: &dyn Store) {
    for size_bytes in SIZES {
        let bytes = noise(size_bytes as u64, size_bytes);
        let streamed =
            commit(store, |batch| batch.put_blob(&mut &bytes[..], &mut |_| true).unwrap());
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
    let content = commit(store, |batch| batch.put_blob(&mut &b""[..], &mut |_| true).unwrap());
    assert_eq!(content.digest, Digest::of(b""));
    assert_eq!(read(store, &content.digest), b"");
    assert_eq!(store.open_at(&content.digest).unwrap().size_bytes(), 0);
}

pub(crate) fn every_piece_is_observed_once(store: &dyn Store) {
    for size_bytes in [0, 7, 1 << 20, (2 << 20) + 3, 9 << 20] {
        let bytes = noise(1, size_bytes);
        let mut seen = Vec::new();
        let mut observe = |piece: &[u8]| {
            seen.extend_from_slice(piece);
            true
        };
        let content = commit(store, |batch| batch.put_blob(&mut &bytes[..], &mut observe).unwrap());
        assert_eq!(seen, bytes);
        assert_eq!(content.digest, Digest::of(&bytes));
    }
}

pub(crate) fn an_observer_can_stop(store: &dyn Store) {
    for size_bytes in [7, 9 << 20] {
        let bytes = noise(1, size_bytes);
        let mut batch = store.batch().unwrap();
        let error = batch.put_blob(&mut &bytes[..], &mut |_| false).unwrap_err();
        assert!(matches!(error, Error::Cancelled), "{error}");
        batch.commit().unwrap();
        assert_eq!(store.find(&Digest::of(&bytes)).unwrap(), None);
    }
}

pub(crate) fn files_are_stored_as_they_are(store: &dyn Store) {
    // Runs of zeros are stored as holes.
    let zeros = vec![0; 5 << 20];
    let ends_in_zeros = [noise(4, 3 << 20), zeros.clone()].concat();
    let sparse = [&zeros, &noise(4, 100)[..], &zeros].concat();
    for bytes in [noise(1, 10), noise(2, 5 << 20), zeros, ends_in_zeros, sparse] {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        file.rewind().unwrap();
        let mut seen = 0;
        let mut observe = |piece: &[u8]| {
            seen += piece.len();
            true
        };
        let content = commit(store, |batch| batch.put_file(&mut file, &mut observe).unwrap());
        assert_eq!(content, Content { digest: Digest::of(&bytes), size_bytes: bytes.len() as u64 });
        assert_eq!(seen, bytes.len());
        assert_eq!(read(store, &content.digest), bytes);
    }
}

/// Which bytes it has is up to the race; that they are those it is named by is not.
pub(crate) fn a_file_that_changes_meanwhile_is_named_by_what_is_stored(store: &dyn Store) {
    let source = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(source.path(), noise(1, 12 << 20)).unwrap();
    let mut changes = 0;
    let mut observe = |_: &[u8]| {
        changes += 1;
        let mut writer = File::options().write(true).open(source.path()).unwrap();
        writer.write_all(&vec![changes; 12 << 20]).is_ok()
    };
    let mut file = source.reopen().unwrap();
    let content = commit(store, |batch| batch.put_file(&mut file, &mut observe).unwrap());
    assert!(changes > 0);
    assert_eq!(Digest::of(&read(store, &content.digest)), content.digest);
    assert!(store.verify(&mut |_, _| true).unwrap().is_empty());
}

pub(crate) fn many_blobs_at_once(store: &dyn Store) {
    let sizes = [10, 0, 70_000, 10, 2 << 20, 70_001];
    let bytes: Vec<Vec<u8>> = sizes.iter().map(|size| noise(*size as u64, *size)).collect();
    let known = put(store, &bytes[2]);
    let mut blobs = Blobs::default();
    let fill = |number: usize, out: &mut [u8]| {
        out.copy_from_slice(&bytes[number]);
        Ok::<_, Error>(())
    };
    blobs.fill(&sizes, fill).unwrap();
    assert_eq!(blobs.contents()[2], known);
    commit(store, |batch| {
        batch.put_bytes(&bytes[5]).unwrap();
        batch.put_blobs(&blobs).unwrap();
        batch.put_blobs(&blobs).unwrap();
    });
    for (content, bytes) in blobs.contents().iter().zip(&bytes) {
        assert_eq!(read(store, &content.digest), *bytes);
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
        let error = batch.put_blob(&mut source, &mut |_| true).unwrap_err();
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
    let error = batch.put_blob(&mut source, &mut |_| true).unwrap_err();
    assert!(matches!(error, Error::Cancelled), "{error}");
}

pub(crate) fn equal_blobs_are_one(store: &dyn Store) {
    let bytes = noise(3, 2 << 20);
    let (one, two) = commit(store, |batch| {
        (batch.put_bytes(&bytes).unwrap(), batch.put_blob(&mut &bytes[..], &mut |_| true).unwrap())
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
