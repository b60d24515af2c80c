//! `Beneath`: a folder that files are written into, and that nothing leads out of: no `..`, no
//! absolute path, no symbolic link on the way, whether it was there before or was made by whoever
//! names the files.
//!
//! On Linux the kernel keeps that promise (`openat2` with `RESOLVE_BENEATH`); where it cannot, and on
//! other Unix systems, paths are walked folder by folder without following links. Elsewhere each
//! folder of a path is looked at first.

use std::fs::File;
use std::io;
use std::path::{Component, Path};
use std::time::SystemTime;

#[cfg(unix)]
pub(crate) use self::unix::Beneath;

#[cfg(not(unix))]
pub(crate) use self::other::Beneath;

/// An error unless `path` is made of names alone.
fn check_names(path: &Path) -> io::Result<()> {
    let is_name = |component| matches!(component, Component::Normal(_));
    if path.as_os_str().is_empty() || !path.components().all(is_name) {
        return Err(io::Error::new(io::ErrorKind::InvalidFilename, "the path leads elsewhere"));
    }
    Ok(())
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::fd::OwnedFd;

    use rustix::fs::{
        AtFlags, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT, linkat, mkdirat, openat,
        symlinkat, unlinkat, utimensat,
    };

    use super::{File, Path, SystemTime, check_names, io};

    /// What opens a folder to look for names in it, and nothing else.
    #[cfg(target_os = "linux")]
    const LOOK: OFlags = OFlags::PATH;
    #[cfg(not(target_os = "linux"))]
    const LOOK: OFlags = OFlags::RDONLY;

    pub(crate) struct Beneath {
        root: OwnedFd,
    }

    impl Beneath {
        /// The folder at `path`, which is made if it is missing.
        pub(crate) fn open(path: &Path) -> io::Result<Beneath> {
            std::fs::create_dir_all(path)?;
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            Ok(Beneath { root: rustix::fs::open(path, flags, Mode::empty())? })
        }

        /// Makes a folder whose parent is there; one that is there already is fine.
        pub(crate) fn make_folder(&self, path: &Path) -> io::Result<()> {
            let (parent, name) = self.parent(path)?;
            match mkdirat(&parent, name, Mode::from_raw_mode(0o777)) {
                Err(rustix::io::Errno::EXIST) => {
                    let flags = LOOK | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                    openat(&parent, name, flags, Mode::empty())?;
                    Ok(())
                }
                made => Ok(made?),
            }
        }

        /// Makes a file, to be written and read; an error if there is one.
        pub(crate) fn make_file(&self, path: &Path) -> io::Result<File> {
            check_names(path)?;
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            let mode = Mode::from_raw_mode(0o666);
            if let Some(file) = self.resolve(path, flags, mode)? {
                return Ok(File::from(file));
            }
            let (parent, name) = self.parent(path)?;
            Ok(File::from(openat(&parent, name, flags | OFlags::NOFOLLOW, mode)?))
        }

        /// Gives a file another name.
        pub(crate) fn link(&self, path: &Path, new: &Path) -> io::Result<()> {
            let (from, from_name) = self.parent(path)?;
            let (to, to_name) = self.parent(new)?;
            Ok(linkat(&from, from_name, &to, to_name, AtFlags::empty())?)
        }

        /// Makes a symbolic link with that text, wherever it leads.
        pub(crate) fn symlink(&self, text: &str, path: &Path) -> io::Result<()> {
            let (parent, name) = self.parent(path)?;
            Ok(symlinkat(text, &parent, name)?)
        }

        /// Removes a file or link, if there is one.
        pub(crate) fn remove(&self, path: &Path) -> io::Result<()> {
            let (parent, name) = self.parent(path)?;
            match unlinkat(&parent, name, AtFlags::empty()) {
                Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(()),
                Err(error) => Err(error.into()),
            }
        }

        /// Sets when a file, folder or link was changed last; a link's own time, not its target's.
        pub(crate) fn set_modified(&self, path: &Path, time: SystemTime) -> io::Result<()> {
            let (parent, name) = self.parent(path)?;
            let times = Timestamps {
                last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
                last_modification: timespec(time),
            };
            Ok(utimensat(&parent, name, &times, AtFlags::SYMLINK_NOFOLLOW)?)
        }

        /// The folder that a path's last name is in, and that name.
        fn parent<'a>(&self, path: &'a Path) -> io::Result<(OwnedFd, &'a OsStr)> {
            check_names(path)?;
            let name = path.file_name().unwrap_or_default();
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            let flags = LOOK | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let Some(parent) = parent else {
                return Ok((self.root.try_clone()?, name));
            };
            match self.resolve(parent, flags, Mode::empty())? {
                Some(parent) => Ok((parent, name)),
                None => Ok((self.walk(parent)?, name)),
            }
        }

        /// Lets the kernel resolve a path; `None` if it cannot.
        #[cfg(target_os = "linux")]
        fn resolve(&self, path: &Path, flags: OFlags, mode: Mode) -> io::Result<Option<OwnedFd>> {
            use rustix::fs::{ResolveFlags, openat2};
            use rustix::io::Errno;
            let rules = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
            loop {
                match openat2(&self.root, path, flags, mode, rules) {
                    Ok(opened) => return Ok(Some(opened)),
                    // Kernels before 5.6 do not have it, and some sandboxes forbid it.
                    Err(Errno::NOSYS | Errno::PERM) => return Ok(None),
                    // Somebody moved a folder at the same moment.
                    Err(Errno::AGAIN) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }

        #[cfg(not(target_os = "linux"))]
        fn resolve(&self, _: &Path, _: OFlags, _: Mode) -> io::Result<Option<OwnedFd>> {
            Ok(None)
        }

        /// Opens folder after folder, none of them a link.
        fn walk(&self, path: &Path) -> io::Result<OwnedFd> {
            let flags = LOOK | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let step = |folder: OwnedFd, name: &OsStr| openat(&folder, name, flags, Mode::empty());
            let mut folder = self.root.try_clone()?;
            for name in path {
                folder = step(folder, name)?;
            }
            Ok(folder)
        }
    }

    fn timespec(time: SystemTime) -> Timespec {
        match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => {
                Timespec { tv_sec: after.as_secs() as i64, tv_nsec: after.subsec_nanos().into() }
            }
            Err(before) => {
                let before = before.duration();
                let nanoseconds = before.subsec_nanos();
                Timespec {
                    tv_sec: -(before.as_secs() as i64) - i64::from(nanoseconds > 0),
                    tv_nsec: ((1_000_000_000 - nanoseconds) % 1_000_000_000).into(),
                }
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use std::os::unix::fs::symlink;

        use super::{Beneath, Path};

        #[test]
        fn walking_and_resolving_refuse_the_same() {
            let folder = tempfile::tempdir().expect("a folder");
            let inside = folder.path().join("inside");
            std::fs::create_dir_all(inside.join("a/b")).expect("folders");
            symlink("a", inside.join("link")).expect("a link");
            symlink("..", inside.join("up")).expect("a link");
            symlink("/", inside.join("root")).expect("a link");
            let beneath = Beneath::open(&inside).expect("a folder");
            assert!(beneath.walk(Path::new("a/b")).is_ok());
            assert!(beneath.make_file(Path::new("a/b/new")).is_ok());
            for parent in ["link/b", "up", "root", "root/etc", "missing"] {
                assert!(beneath.walk(Path::new(parent)).is_err(), "{parent}");
                let path = Path::new(parent).join("x");
                assert!(beneath.make_file(&path).is_err(), "{parent}");
                assert!(beneath.make_folder(&path).is_err(), "{parent}");
                assert!(beneath.symlink("x", &path).is_err(), "{parent}");
                assert!(beneath.link(Path::new("a/b/new"), &path).is_err(), "{parent}");
            }
            for path in ["../x", "/tmp/x", "a/../../x", "", "."] {
                assert!(beneath.make_file(Path::new(path)).is_err(), "{path}");
                assert!(beneath.make_folder(Path::new(path)).is_err(), "{path}");
            }
            assert!(beneath.make_file(Path::new("link")).is_err(), "a link is not written through");
            assert!(beneath.make_folder(Path::new("link")).is_err(), "a link is no folder");
            assert!(!folder.path().join("x").exists());
        }
    }
}

#[cfg(not(unix))]
mod other {
    use std::path::PathBuf;

    use super::{File, Path, SystemTime, check_names, io};

    pub(crate) struct Beneath {
        root: PathBuf,
    }

    impl Beneath {
        pub(crate) fn open(path: &Path) -> io::Result<Beneath> {
            std::fs::create_dir_all(path)?;
            Ok(Beneath { root: path.to_owned() })
        }

        pub(crate) fn make_folder(&self, path: &Path) -> io::Result<()> {
            let path = self.checked(path)?;
            match std::fs::create_dir(&path) {
                Err(_) if path.symlink_metadata().is_ok_and(|there| there.is_dir()) => Ok(()),
                made => made,
            }
        }

        pub(crate) fn make_file(&self, path: &Path) -> io::Result<File> {
            let path = self.checked(path)?;
            File::options().read(true).write(true).create_new(true).open(path)
        }

        pub(crate) fn link(&self, path: &Path, new: &Path) -> io::Result<()> {
            std::fs::hard_link(self.checked(path)?, self.checked(new)?)
        }

        pub(crate) fn symlink(&self, _: &str, path: &Path) -> io::Result<()> {
            self.checked(path)?;
            Err(io::Error::new(io::ErrorKind::Unsupported, "links are made on Unix only"))
        }

        pub(crate) fn remove(&self, path: &Path) -> io::Result<()> {
            match std::fs::remove_file(self.checked(path)?) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        }

        pub(crate) fn set_modified(&self, path: &Path, time: SystemTime) -> io::Result<()> {
            let path = self.checked(path)?;
            if path.is_dir() {
                // The standard library has no way to open a folder for that.
                return Ok(());
            }
            File::options().write(true).open(path)?.set_modified(time)
        }

        /// The whole path, none of whose folders is a link.
        fn checked(&self, path: &Path) -> io::Result<PathBuf> {
            check_names(path)?;
            let mut whole = self.root.clone();
            for name in path.parent().into_iter().flatten() {
                whole.push(name);
                if !whole.symlink_metadata()?.is_dir() {
                    return Err(io::ErrorKind::NotADirectory.into());
                }
            }
            whole.push(path.file_name().unwrap_or_default());
            Ok(whole)
        }
    }
}
