//! The reserve: a file of no use but its size. On a full disk not even the index could be written;
//! a collection gives the reserve away first and takes it back in the end.

use std::fs::File;
use std::path::Path;

use crate::disk::place::Place;
use crate::os;

const SIZE_BYTES: u64 = 8 << 20;

/// Gives the room away.
pub(super) fn release(place: &Place) {
    shorten(place, |_| 0);
}

/// Gives half of it away, so that the store can be opened. The other half is for a collection,
/// should this process fill the disk again.
pub(in crate::disk) fn release_half(place: &Place) {
    shorten(place, |size_bytes| size_bytes / 2);
}

fn shorten(place: &Place, size_bytes: impl Fn(u64) -> u64) {
    let shorten = || {
        let file = File::options().write(true).open(place.reserve())?;
        file.set_len(size_bytes(file.metadata()?.len()))
    };
    if let Err(cause) = shorten() {
        tracing::debug!("cannot shorten the reserve: {cause}");
    }
}

/// Takes the room, or as much of it as there is.
pub(in crate::disk) fn take(place: &Place) {
    let sizes = [SIZE_BYTES, SIZE_BYTES / 2, SIZE_BYTES / 4, SIZE_BYTES / 8];
    if !sizes.into_iter().any(|size_bytes| fill(&place.reserve(), size_bytes).is_ok()) {
        tracing::debug!("there is no room for the reserve");
    }
}

fn fill(path: &Path, size_bytes: u64) -> std::io::Result<()> {
    let file = File::options().create(true).append(true).open(path)?;
    let before_bytes = file.metadata()?.len();
    match before_bytes < size_bytes {
        true => os::allocate(&file, size_bytes).inspect_err(|_| drop(file.set_len(before_bytes))),
        false => Ok(()),
    }
}
