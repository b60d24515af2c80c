//! Every call to the operating system that the standard library does not offer portably.

use std::fs::File;
use std::io;

/// Fills `out` from `offset_bytes` of `file` on, without moving its position.
#[cfg(unix)]
pub(crate) fn read_exact_at(file: &File, offset_bytes: u64, out: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, offset_bytes)
}

#[cfg(windows)]
pub(crate) fn read_exact_at(file: &File, offset_bytes: u64, out: &mut [u8]) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    let mut done = 0;
    while done < out.len() {
        match file.seek_read(&mut out[done..], offset_bytes + done as u64)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => done += read,
        }
    }
    Ok(())
}
