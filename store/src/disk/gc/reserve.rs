//! The reserve: a file of no use but its size. On a full disk not even the index could be written;
//! a collection gives the reserve away first and takes it back in the end.

use std::fs::File;
use std::path::Path;

use crate::disk::place::Place;
use crate::os;

const SIZE_BYTES: u64 = 8 << 20;

/// Gives the room away.
pub(in crate::disk) fn release(place: &Place) {
    let path = place.reserve();
    if path.exists()
        && let Err(cause) = File::options().write(true).open(&path).and_then(|it| it.set_len(0))
    {
        tracing::debug!("cannot shorten the reserve: {cause}");
    }
}

/// Takes the room, if there is some.
pub(in crate::disk) fn take(place: &Place) {
    if let Err(cause) = fill(&place.reserve()) {
        tracing::debug!("there is no room for the reserve: {cause}");
    }
}

fn fill(path: &Path) -> std::io::Result<()> {
    let file = File::options().create(true).append(true).open(path)?;
    match file.metadata()?.len() < SIZE_BYTES {
        true => os::allocate(&file, SIZE_BYTES).inspect_err(|_| drop(file.set_len(0))),
        false => Ok(()),
    }
}
