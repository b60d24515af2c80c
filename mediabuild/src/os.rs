//! What differs between operating systems, in one place.

mod beneath;

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::process::Command;

pub(crate) use self::beneath::Beneath;

/// Free bytes of the file system that holds `folder`; `None` where that cannot be told.
#[cfg(unix)]
pub(crate) fn free_space(folder: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    stat.f_bavail.checked_mul(stat.f_frsize)
}

#[cfg(not(unix))]
pub(crate) fn free_space(_: &Path) -> Option<u64> {
    None
}

/// The machine's memory; `None` where that cannot be told.
#[cfg(target_os = "linux")]
pub(crate) fn memory_bytes() -> Option<u64> {
    let info = rustix::system::sysinfo();
    (info.totalram as u64).checked_mul(u64::from(info.mem_unit))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn memory_bytes() -> Option<u64> {
    None
}

/// Makes a folder's entries durable, so that a renamed file stays renamed after a power cut.
#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Makes everything below `folder` durable: files, folders and their entries.
#[cfg(target_os = "linux")]
pub(crate) fn sync_tree(folder: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(folder)?)?)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn sync_tree(folder: &Path) -> io::Result<()> {
    for entry in walkdir::WalkDir::new(folder).contents_first(true) {
        let entry = entry?;
        if entry.file_type().is_dir() {
            sync_folder(entry.path())?;
        } else {
            File::options().write(true).open(entry.path())?.sync_all()?;
        }
    }
    Ok(())
}

/// What a temporary file needs to become one that others may read, as far as the umask says: alone
/// it would be its owner's.
#[cfg(unix)]
pub(crate) fn shared_file() -> Option<std::fs::Permissions> {
    Some(std::os::unix::fs::PermissionsExt::from_mode(0o666))
}

#[cfg(not(unix))]
pub(crate) fn shared_file() -> Option<std::fs::Permissions> {
    None
}

/// Keeps other processes that ask for the same folder waiting until it is dropped; `None` where the
/// file system cannot do that.
pub(crate) fn hold_folder(folder: &Path) -> Option<File> {
    let folder = File::open(folder).ok()?;
    folder.lock().ok()?;
    Some(folder)
}

/// Swaps what two paths name, in one step.
#[cfg(target_os = "linux")]
pub(crate) fn swap(one: &Path, other: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn swap(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Fills `buffer` from `offset_bytes` on, without moving a cursor.
#[cfg(unix)]
pub(crate) fn read_exact_at(file: &File, offset_bytes: u64, buffer: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset_bytes)
}

#[cfg(windows)]
pub(crate) fn read_exact_at(
    file: &File,
    mut offset_bytes: u64,
    mut buffer: &mut [u8],
) -> io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, offset_bytes)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                buffer = &mut buffer[count..];
                offset_bytes += count as u64;
            }
        }
    }
    Ok(())
}

/// What a stat says of a file's content: when equal, and not fresh, the bytes are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StatKey {
    size_bytes: u64,
    modified_ns: i128,
    changed_ns: i128,
    inode: u64,
    device: u64,
}

/// Bytes of an encoded [`StatKey`].
pub(crate) const STAT_KEY_BYTES: usize = 56;

impl StatKey {
    #[cfg(unix)]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        let ns = |seconds: i64, ns: i64| i128::from(seconds) * 1_000_000_000 + i128::from(ns);
        StatKey {
            size_bytes: metadata.len(),
            modified_ns: ns(metadata.mtime(), metadata.mtime_nsec()),
            changed_ns: ns(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
            device: metadata.dev(),
        }
    }

    #[cfg(not(unix))]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let ns = |time: io::Result<std::time::SystemTime>| {
            let since = time.ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
            Some(since.as_nanos() as i128)
        };
        // There is no time of a change that programs cannot set; the time of creation at least tells
        // a file that was put in place of another.
        let modified_ns = ns(metadata.modified()).unwrap_or(0);
        let changed_ns = ns(metadata.created()).unwrap_or(0);
        StatKey { size_bytes: metadata.len(), modified_ns, changed_ns, inode: 0, device: 0 }
    }

    pub(crate) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The later of the two times, in nanoseconds since 1970.
    pub(crate) fn latest_ns(&self) -> i128 {
        self.modified_ns.max(self.changed_ns)
    }

    /// Bytes that are equal when the keys are.
    pub(crate) fn encode(&self) -> [u8; STAT_KEY_BYTES] {
        let mut bytes = [0; STAT_KEY_BYTES];
        bytes[..8].copy_from_slice(&self.size_bytes.to_le_bytes());
        bytes[8..24].copy_from_slice(&self.modified_ns.to_le_bytes());
        bytes[24..40].copy_from_slice(&self.changed_ns.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.inode.to_le_bytes());
        bytes[48..].copy_from_slice(&self.device.to_le_bytes());
        bytes
    }
}

/// Opens a disk for reading and writing, and keeps others from it: an error if anything has it in
/// use, by the kernel's own books.
#[cfg(target_os = "linux")]
pub(crate) fn open_disk(device: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDWR | OFlags::EXCL | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(device, flags, Mode::empty())?))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn open_disk(_: &Path) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

/// `8:16`, as sysfs numbers disks, of an open one; `None` if it is no disk but a file.
#[cfg(target_os = "linux")]
pub(crate) fn disk_number(file: &File) -> io::Result<Option<String>> {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};
    let metadata = file.metadata()?;
    let number = metadata.rdev();
    let text = || format!("{}:{}", rustix::fs::major(number), rustix::fs::minor(number));
    Ok(metadata.file_type().is_block_device().then(text))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn disk_number(_: &File) -> io::Result<Option<String>> {
    Ok(None)
}

/// Lets go of what memory holds of a file that was flushed: what is read next comes from the disk.
#[cfg(target_os = "linux")]
pub(crate) fn forget_cached(file: &File) -> io::Result<()> {
    Ok(rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed)?)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn forget_cached(_: &File) -> io::Result<()> {
    Ok(())
}

/// A command that is killed when this process ends, however it ends; elsewhere than on Linux a plain
/// one. It is started by way of this program, since a new process can bind
/// itself safely ([`become_bound`]), and only unsafe code could between fork and exec.
#[cfg(target_os = "linux")]
pub(crate) fn bound_command(program: &Path) -> Command {
    // This very program, even if its file was replaced meanwhile.
    let mut command = Command::new("/proc/self/exe");
    command.args(["end-with-parent", &std::process::id().to_string(), "--"]).arg(program);
    command
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn bound_command(program: &Path) -> Command {
    Command::new(program)
}

/// Becomes the program of [`bound_command`]; returns only if that fails.
#[cfg(target_os = "linux")]
pub(crate) fn become_bound(command: &[OsString], parent: u32) -> io::Error {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};
    use std::os::unix::process::CommandExt;
    let Some((program, arguments)) = command.split_first() else {
        return io::ErrorKind::InvalidInput.into();
    };
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        return error.into();
    }
    // It may have ended before that was set.
    let is_there =
        getppid().is_some_and(|it| u32::try_from(it.as_raw_nonzero().get()) == Ok(parent));
    if !is_there {
        return io::ErrorKind::NotFound.into();
    }
    Command::new(program).args(arguments).exec()
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn become_bound(_: &[OsString], _: u32) -> io::Error {
    io::ErrorKind::Unsupported.into()
}
