//! `Verifier`: compares each blob and part with its name as its bytes go by.

use super::Source;
use super::cursor::StoredPiece;
use crate::{Digest, Error};

/// Hashes the blob or part that is being read. Pieces must come in order, without gaps.
#[derive(Default)]
pub(super) struct Verifier {
    hasher: blake3::Hasher,
}

impl Verifier {
    pub(super) fn see(
        &mut self,
        piece: &StoredPiece,
        bytes: &[u8],
        source: &Source,
    ) -> Result<(), Error> {
        match self.digest_if_last(piece, bytes) {
            Some(digest) if digest != piece.stored.digest => Err(Error::corrupt(
                piece.stored.digest,
                source.path(),
                format!("its bytes have the digest {digest}"),
            )),
            _ => Ok(()),
        }
    }

    fn digest_if_last(&mut self, piece: &StoredPiece, bytes: &[u8]) -> Option<Digest> {
        if piece.is_first && piece.is_last {
            return Some(Digest::of(bytes));
        }
        if piece.is_first {
            self.hasher.reset();
        }
        self.hasher.update(bytes);
        piece.is_last.then(|| Digest::from_bytes(*self.hasher.finalize().as_bytes()))
    }
}
