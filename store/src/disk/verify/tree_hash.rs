//! BLAKE3 of a long stretch of a file, by all cores, in little memory.
//!
//! BLAKE3 is a tree: halves are hashed apart and joined. Each core reads its next piece into a
//! buffer of its own, small enough to be hashed from the cache, so nobody waits for one reader, and
//! nothing is mapped. Blocks are taken one after the other, which suits disks that turn and lets
//! the caller stop.

use std::cell::RefCell;
use std::fs::File;
use std::io;

use blake3::hazmat::{
    ChainingValue, HasherExt, Mode, left_subtree_len, merge_subtrees_non_root, merge_subtrees_root,
};

use crate::{Digest, Error, os};

/// What one core reads at a time: the best of 256 KiB to 4 MiB.
const PIECE_BYTES: u64 = 1 << 20;

/// What all cores work on before the caller is asked whether to go on.
const BLOCK_BYTES: u64 = 32 << 20;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Why there is no digest.
pub(super) enum Stop {
    Unread(io::Error),
    Asked(Error),
}

impl From<io::Error> for Stop {
    fn from(cause: io::Error) -> Stop {
        Stop::Unread(cause)
    }
}

/// A stretch of a file.
pub(super) struct Stretch<'a> {
    pub(super) file: &'a File,
    pub(super) offset_bytes: u64,
    pub(super) size_bytes: u64,
}

/// Hashes `stretch`; `advance` hears of each block.
pub(super) fn digest(
    stretch: &Stretch<'_>,
    advance: &mut dyn FnMut(u64) -> Result<(), Error>,
) -> Result<Digest, Stop> {
    if stretch.size_bytes <= PIECE_BYTES {
        let digest = with_piece(stretch, 0, stretch.size_bytes, Digest::of)?;
        advance(stretch.size_bytes).map_err(Stop::Asked)?;
        return Ok(digest);
    }
    let left_bytes = left_subtree_len(stretch.size_bytes);
    let left = blocks(stretch, 0, left_bytes, advance)?;
    let right = blocks(stretch, left_bytes, stretch.size_bytes - left_bytes, advance)?;
    Ok(Digest::from_bytes(merge_subtrees_root(&left, &right, Mode::Hash).into()))
}

/// A subtree, block by block.
fn blocks(
    stretch: &Stretch<'_>,
    start_bytes: u64,
    size_bytes: u64,
    advance: &mut dyn FnMut(u64) -> Result<(), Error>,
) -> Result<ChainingValue, Stop> {
    if size_bytes <= BLOCK_BYTES {
        let value = pieces(stretch, start_bytes, size_bytes)?;
        advance(size_bytes).map_err(Stop::Asked)?;
        return Ok(value);
    }
    let left_bytes = left_subtree_len(size_bytes);
    let left = blocks(stretch, start_bytes, left_bytes, advance)?;
    let right = blocks(stretch, start_bytes + left_bytes, size_bytes - left_bytes, advance)?;
    Ok(merge_subtrees_non_root(&left, &right, Mode::Hash))
}

/// A subtree, by all cores.
fn pieces(stretch: &Stretch<'_>, start_bytes: u64, size_bytes: u64) -> io::Result<ChainingValue> {
    if size_bytes <= PIECE_BYTES {
        return with_piece(stretch, start_bytes, size_bytes, |piece| {
            let mut hasher = blake3::Hasher::new();
            hasher.set_input_offset(start_bytes).update(piece).finalize_non_root()
        });
    }
    let left_bytes = left_subtree_len(size_bytes);
    let (left, right) = rayon::join(
        || pieces(stretch, start_bytes, left_bytes),
        || pieces(stretch, start_bytes + left_bytes, size_bytes - left_bytes),
    );
    Ok(merge_subtrees_non_root(&left?, &right?, Mode::Hash))
}

fn with_piece<T>(
    stretch: &Stretch<'_>,
    start_bytes: u64,
    size_bytes: u64,
    see: impl FnOnce(&[u8]) -> T,
) -> io::Result<T> {
    with_bytes(stretch.file, stretch.offset_bytes + start_bytes, size_bytes, see)
}

/// Shows bytes of `file`, in a buffer that each thread keeps.
pub(super) fn with_bytes<T>(
    file: &File,
    offset_bytes: u64,
    size_bytes: u64,
    see: impl FnOnce(&[u8]) -> T,
) -> io::Result<T> {
    BUFFER.with_borrow_mut(|buffer| {
        let size = size_bytes as usize;
        if buffer.len() < size {
            buffer.resize(size, 0);
        }
        os::read_exact_at(file, offset_bytes, &mut buffer[..size])?;
        Ok(see(&buffer[..size]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn it_is_blake3_for_every_length() {
        let bytes: Vec<u8> =
            (0..70_000_000u32).map(|it| (it.wrapping_mul(0x9e37) >> 7) as u8).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let piece = PIECE_BYTES;
        let lengths =
            [0, 1, 1024, piece, piece + 1, 3 * piece, BLOCK_BYTES, BLOCK_BYTES + 1, 69_999_991];
        for (size_bytes, offset_bytes) in lengths.into_iter().zip([0, 9].into_iter().cycle()) {
            let stretch = Stretch { file: &file, offset_bytes, size_bytes };
            let mut heard_bytes = 0;
            let found = digest(&stretch, &mut |bytes| {
                heard_bytes += bytes;
                Ok(())
            });
            let expected = Digest::of(&bytes[offset_bytes as usize..][..size_bytes as usize]);
            assert!(matches!(found, Ok(found) if found == expected), "{size_bytes} bytes");
            assert_eq!(heard_bytes, size_bytes);
        }
        let stretch = Stretch { file: &file, offset_bytes: 0, size_bytes: 70_000_001 };
        assert!(matches!(digest(&stretch, &mut |_| Ok(())), Err(Stop::Unread(_))));
        let stretch = Stretch { file: &file, offset_bytes: 0, size_bytes: 70_000_000 };
        let stopped = digest(&stretch, &mut |_| Err(Error::Cancelled));
        assert!(matches!(stopped, Err(Stop::Asked(Error::Cancelled))));
    }
}
