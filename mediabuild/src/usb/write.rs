//! The bytes of an image onto a disk, and back.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::cancel::{self, Left};
use crate::failure::Failure;
use crate::os;

/// One write: flash wants large ones.
const PIECE_BYTES: usize = 4 << 20;
/// So much is written before it is waited for: progress means something, and Ctrl-C is heard.
const FLUSH_BYTES: u64 = 64 << 20;

/// Told how many bytes more are done.
pub(super) type Step<'a> = &'a dyn Fn(u64);

/// Writes the image from the disk's beginning, and waits until the disk has it.
pub(crate) fn write(
    image: &mut File,
    disk: &mut File,
    device: &Path,
    step: Step<'_>,
) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        Failure::io("write", device, &error)
            .help("what is on the disk now is incomplete; try again, or another port or disk")
    };
    let mut unflushed_bytes = 0;
    let mut left = None;
    pieces(image, &mut |piece| {
        left.get_or_insert_with(|| {
            Left::behind(format!("what is on `{}` now is incomplete", device.display()))
        });
        disk.write_all(piece).map_err(failed)?;
        unflushed_bytes += piece.len() as u64;
        if unflushed_bytes >= FLUSH_BYTES {
            disk.sync_data().map_err(failed)?;
            unflushed_bytes = 0;
        }
        step(piece.len() as u64);
        Ok(())
    })?;
    disk.sync_all().map_err(failed)
}

/// Reads the disk and compares it with the image: where they differ first, if they do.
pub(crate) fn compare(
    image: &mut File,
    disk: &mut File,
    device: &Path,
    step: Step<'_>,
) -> Result<Option<u64>, Failure> {
    let failed = |error: io::Error| Failure::io("read", device, &error);
    let _left = Left::behind(format!("`{}` is written, but was not compared", device.display()));
    // What the memory still has of it proves nothing.
    os::forget_cached(disk).map_err(failed)?;
    disk.seek(SeekFrom::Start(0)).map_err(failed)?;
    let mut read = vec![0; PIECE_BYTES];
    let (mut position, mut differs) = (0, None);
    pieces(image, &mut |piece| {
        let read = &mut read[..piece.len()];
        disk.read_exact(read).map_err(failed)?;
        if let Some(at) = read.iter().zip(piece).position(|(read, wrote)| read != wrote) {
            differs = differs.or(Some(position + at as u64));
        }
        position += piece.len() as u64;
        step(piece.len() as u64);
        Ok(())
    })?;
    Ok(differs)
}

/// The image from its beginning, piece by piece, until Ctrl-C.
fn pieces(
    image: &mut File,
    then: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::environment(format!("cannot read the image: {error}"));
    image.seek(SeekFrom::Start(0)).map_err(failed)?;
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        cancel::check()?;
        let mut filled = 0;
        while filled < piece.len() {
            match image.read(&mut piece[filled..]).map_err(failed)? {
                0 => break,
                count => filled += count,
            }
        }
        if filled == 0 {
            return Ok(());
        }
        then(&piece[..filled])?;
    }
}
