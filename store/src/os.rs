//! Every call to the operating system that the standard library does not offer portably.

use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::path::Path;

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

/// Makes a finished file read-only for everybody.
#[cfg(unix)]
pub(crate) fn seal(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o444))
}

/// A read-only file could be neither flushed nor replaced there.
#[cfg(not(unix))]
pub(crate) fn seal(_: &File) -> io::Result<()> {
    Ok(())
}

/// Whether `file` still is the file that `path` names.
#[cfg(unix)]
pub(crate) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let file = file.metadata()?;
    match path.metadata() {
        Ok(named) => Ok((named.dev(), named.ino()) == (file.dev(), file.ino())),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(cause),
    }
}

#[cfg(windows)]
pub(crate) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use same_file::Handle;
    match Handle::from_path(path) {
        Ok(named) => Ok(named == Handle::from_file(file.try_clone()?)?),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(false),
        // Removed, but somebody has it open still.
        Err(cause) if cause.kind() == io::ErrorKind::PermissionDenied => Ok(false),
        Err(cause) => Err(cause),
    }
}

/// Makes a file that is held until it is closed, see [`is_held`]. Others may read it.
#[cfg(unix)]
pub(crate) fn create_held(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    file.lock()?;
    Ok(file)
}

/// Nobody else may write to it. A lock would keep others from reading, too.
#[cfg(windows)]
pub(crate) fn create_held(path: &Path) -> io::Result<File> {
    use std::os::windows::fs::OpenOptionsExt;
    const FILE_SHARE_READ: u32 = 1;
    const FILE_SHARE_DELETE: u32 = 4;
    let sharing = FILE_SHARE_READ | FILE_SHARE_DELETE;
    File::options().write(true).create_new(true).share_mode(sharing).open(path)
}

/// Whether somebody holds the file at `path`.
#[cfg(unix)]
pub(crate) fn is_held(path: &Path) -> io::Result<bool> {
    Ok(File::open(path)?.try_lock().is_err())
}

#[cfg(windows)]
pub(crate) fn is_held(path: &Path) -> io::Result<bool> {
    const ERROR_SHARING_VIOLATION: i32 = 32;
    match File::options().write(true).open(path) {
        Err(cause) if cause.raw_os_error() == Some(ERROR_SHARING_VIOLATION) => Ok(true),
        opened => opened.map(|_| false),
    }
}

/// Renames a file, over one that is there.
#[cfg(unix)]
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)
}

/// A file that somebody has open cannot be replaced on some file systems there; nobody keeps one
/// open for long.
#[cfg(windows)]
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    use std::time::{Duration, Instant};
    let end = Instant::now() + Duration::from_secs(2);
    loop {
        match std::fs::rename(from, to) {
            Err(cause) if is_in_use(&cause) && Instant::now() < end => {
                std::thread::sleep(Duration::from_millis(5));
            }
            renamed => return renamed,
        }
    }
}

/// Whether that is all that is wrong: somebody has the file, or one in the folder, open still.
#[cfg(unix)]
pub(crate) fn is_in_use(_: &io::Error) -> bool {
    false
}

#[cfg(windows)]
pub(crate) fn is_in_use(cause: &io::Error) -> bool {
    use io::ErrorKind::{DirectoryNotEmpty, PermissionDenied};
    const ERROR_SHARING_VIOLATION: i32 = 32;
    matches!(cause.kind(), PermissionDenied | DirectoryNotEmpty)
        || cause.raw_os_error() == Some(ERROR_SHARING_VIOLATION)
}

/// Gives back the lock of `file`.
#[cfg(unix)]
pub(crate) fn unlock(file: &File) -> io::Result<()> {
    file.unlock()
}

/// The standard library unlocks twice and expects the second time to fail, but not with the error
/// that wine gives. Windows never gives it here.
#[cfg(windows)]
pub(crate) fn unlock(file: &File) -> io::Result<()> {
    const ERROR_LOCK_VIOLATION: i32 = 33;
    match file.unlock() {
        Err(cause) if cause.raw_os_error() == Some(ERROR_LOCK_VIOLATION) => Ok(()),
        unlocked => unlocked,
    }
}

/// Something that changes with a file's length, its place on the disk or the time of its last
/// change.
#[cfg(unix)]
pub(crate) fn stamp(metadata: &Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let m = metadata;
    mix(&[
        m.len(),
        m.ino(),
        m.mtime() as u64,
        m.mtime_nsec() as u64,
        m.ctime() as u64,
        m.ctime_nsec() as u64,
    ])
}

#[cfg(not(unix))]
pub(crate) fn stamp(metadata: &Metadata) -> u64 {
    let epoch = std::time::UNIX_EPOCH;
    let modified = metadata.modified().ok().and_then(|it| it.duration_since(epoch).ok());
    mix(&[metadata.len(), modified.map_or(0, |since| since.as_nanos() as u64)])
}

fn mix(numbers: &[u64]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for number in numbers {
        hasher.update(&number.to_le_bytes());
    }
    let hash = hasher.finalize();
    u64::from_le_bytes(*hash.as_bytes().first_chunk().expect("a hash has 32 bytes"))
}

/// Makes a folder that nobody else may look into.
#[cfg(unix)]
pub(crate) fn create_private_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().mode(0o700).create(path)
}

/// It gets what the folder above hands down.
#[cfg(not(unix))]
pub(crate) fn create_private_folder(path: &Path) -> io::Result<()> {
    std::fs::create_dir(path)
}

/// Makes the names in the folder at `path` durable.
#[cfg(unix)]
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Folders cannot be flushed there; the file system's journal does it.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Starts and awaits the write-back of everything on the file system of `folder`: far cheaper than
/// file by file. Only a way to make the flushes of the files that follow cheap, so a system that
/// does not know it loses nothing; a write-back that failed is an error.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn sync_file_system(folder: &Path) -> io::Result<()> {
    match rustix::fs::syncfs(File::open(folder)?).map_err(io::Error::from) {
        Err(cause) if cause.kind() == io::ErrorKind::Unsupported => Ok(()),
        synced => synced,
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn sync_file_system(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Starts to write what of `file` is not on the disk yet in `range_bytes`, and does not wait for it:
/// the flush at the end then finds most of it done. Only advice, so there is nothing to fail; a
/// write-back that fails shows at the flush. (`sync_file_range` would say it more plainly, but takes
/// unsafe code. Pages that are written already may leave the cache: 1 to 3 of 100 do.)
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn start_write_back(file: &File, range_bytes: std::ops::Range<u64>) {
    use rustix::fs::{Advice, fadvise};
    let size_bytes = std::num::NonZeroU64::new(range_bytes.end - range_bytes.start);
    let _ = fadvise(file, range_bytes.start, size_bytes, Advice::DontNeed);
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn start_write_back(_: &File, _: std::ops::Range<u64>) {}

/// Writes all of `bytes` at the file's position. `direct`: around the cache, where the file system
/// can do that; then they must be aligned, and so must the position.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn write_all(file: &mut File, mut bytes: &[u8], direct: bool) -> io::Result<()> {
    let mut is_direct = set_direct(file, direct);
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            // After a short write nothing is aligned any more; and some disks have larger blocks.
            Err(cause) if is_direct && cause.kind() == io::ErrorKind::InvalidInput => {
                is_direct = set_direct(file, false);
            }
            Err(cause) => return Err(cause),
        }
    }
    Ok(())
}

/// Reads and writes of `file` need no alignment any more.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn end_direct(file: &File) {
    set_direct(file, false);
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn end_direct(_: &File) {}

/// Whether writes go around the cache from now on.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn set_direct(file: &File, direct: bool) -> bool {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    let Ok(flags) = fcntl_getfl(file) else { return false };
    if flags.contains(OFlags::DIRECT) == direct {
        return direct;
    }
    if direct && !writes_directly_well(file) {
        return false;
    }
    let mut wanted = flags;
    wanted.set(OFlags::DIRECT, direct);
    fcntl_setfl(file, wanted).is_ok() && direct
}

/// Only file systems on which databases rely on it. (btrfs would not compress what is written so;
/// elsewhere it is slow, refused or little tried.)
#[cfg(any(target_os = "linux", target_os = "android"))]
fn writes_directly_well(file: &File) -> bool {
    const EXT: u32 = 0x0000_ef53;
    const XFS: u32 = 0x5846_5342;
    rustix::fs::fstatfs(file).is_ok_and(|it| [EXT, XFS].contains(&(it.f_type as u32)))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn write_all(file: &mut File, bytes: &[u8], _: bool) -> io::Result<()> {
    file.write_all(bytes)
}

/// Makes `to`, which is empty, share the bytes of `from`, where the file system can do that. It is
/// a snapshot: writes to either do not show in the other.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn clone_file(from: &File, to: &File) -> bool {
    rustix::fs::ioctl_ficlone(to, from).is_ok()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn clone_file(_: &File, _: &File) -> bool {
    false
}

/// The name of the network file system that `folder` lies on, if it does.
#[cfg(target_os = "linux")]
pub(crate) fn network_file_system(folder: &Path) -> Option<&'static str> {
    const MAGICS: [(u32, &str); 7] = [
        (0x0000_6969, "NFS"),
        (0x0000_517b, "SMB"),
        (0xff53_4d42, "CIFS"),
        (0xfe53_4d42, "SMB2"),
        (0x0102_1997, "9p"),
        (0x00c3_6400, "Ceph"),
        (0x5346_414f, "AFS"),
    ];
    let magic = rustix::fs::statfs(folder).ok()?.f_type as u32;
    MAGICS.into_iter().find(|(known, _)| *known == magic).map(|(_, name)| name)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn network_file_system(_: &Path) -> Option<&'static str> {
    None
}

/// 32 bytes that nobody can guess.
#[cfg(unix)]
pub(crate) fn random_key() -> io::Result<[u8; 32]> {
    let mut key = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut key)?;
    Ok(key)
}

/// The standard library seeds its hash maps from the system's generator: 128 bits of it.
#[cfg(not(unix))]
pub(crate) fn random_key() -> io::Result<[u8; 32]> {
    use std::hash::{BuildHasher, RandomState};
    let mut hasher = blake3::Hasher::new_derive_key("mediabuild store secret key v1");
    for _ in 0..8 {
        hasher.update(&RandomState::new().hash_one(()).to_le_bytes());
    }
    Ok(*hasher.finalize().as_bytes())
}

/// How many bytes the file system of `path` gives at a time.
#[cfg(target_os = "linux")]
pub(crate) fn block_bytes(path: &Path) -> io::Result<u64> {
    Ok(rustix::fs::statvfs(path)?.f_bsize)
}

/// Makes `file` at least so long, with room on the disk behind every byte.
#[cfg(target_os = "linux")]
pub(crate) fn allocate(file: &File, size_bytes: u64) -> io::Result<()> {
    let flags = rustix::fs::FallocateFlags::empty();
    match rustix::fs::fallocate(file, flags, 0, size_bytes) {
        Err(rustix::io::Errno::OPNOTSUPP) => fill(file, size_bytes),
        done => Ok(done?),
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn allocate(file: &File, size_bytes: u64) -> io::Result<()> {
    fill(file, size_bytes)
}

/// Appends zeros.
fn fill(mut file: &File, size_bytes: u64) -> io::Result<()> {
    let length_bytes = file.metadata()?.len();
    io::copy(&mut io::repeat(0).take(size_bytes.saturating_sub(length_bytes)), &mut file).map(drop)
}
