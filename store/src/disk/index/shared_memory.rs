//! Room for `index.sqlite-shm`, the file through which the processes that use the index share
//! memory.
//!
//! Memory of a file that the disk has no room for cannot be reported as an error: who writes to it
//! is killed by SIGBUS. SQLite therefore writes a byte to every 4096 of the file before it uses
//! them, which is enough where a block is as large. Where blocks are smaller (ext4 of less than
//! 512 MB has 1024 bytes a block), the rest of them are asked for here.

use std::path::Path;

use crate::Error;

/// Bytes that SQLite puts one byte into.
#[cfg(target_os = "linux")]
const STEP_BYTES: u64 = 4096;

/// Gives every block of the file of the index at `index` its room. A connection must have read
/// from the index before, for that makes the file.
///
/// # Errors
/// `Error::DiskFull` if there is no room.
#[cfg(target_os = "linux")]
pub(super) fn allocate(index: &Path) -> Result<(), Error> {
    let mut name = index.as_os_str().to_owned();
    name.push("-shm");
    let path = std::path::PathBuf::from(name);
    let open = || -> std::io::Result<_> {
        let small = crate::os::block_bytes(&path)? < STEP_BYTES;
        Ok(if small { Some(std::fs::File::options().write(true).open(&path)?) } else { None })
    };
    if let Some(file) = open().map_err(Error::io("open", &path))? {
        let size_bytes = file.metadata().map_or(0, |metadata| metadata.len());
        let done = crate::os::allocate(&file, size_bytes);
        // Never closed: POSIX takes this process's locks of a file away, SQLite's too, when it
        // closes any descriptor of that file. The cost is one descriptor for each time that a
        // store on such a disk is opened.
        std::mem::forget(file);
        done.map_err(Error::write(&path, size_bytes))?;
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn allocate(_: &Path) -> Result<(), Error> {
    Ok(())
}
