//! USB disks of this machine, and writing a disk image to one.
//!
//! A wrong device is somebody's data, so everything here refuses in doubt: a disk must be on the USB
//! bus, hold nothing that is in use, and be named by its serial number or by hand.

mod disk;
mod in_use;
mod write;

use std::path::{Path, PathBuf};

pub(crate) use self::disk::{Disk, disks};
pub(crate) use self::in_use::uses;
pub(crate) use self::write::{compare, write};

/// Where the system tells about disks; tests tell it themselves.
pub(crate) struct System {
    /// `/sys`
    pub(crate) sys: PathBuf,
    /// `/proc`
    pub(crate) proc: PathBuf,
    /// `/dev`
    pub(crate) dev: PathBuf,
}

impl System {
    /// This machine; `None` on systems that tell it in other ways.
    pub(crate) fn here() -> Option<System> {
        let root = |path: &str| Path::new(path).to_owned();
        cfg!(target_os = "linux").then(|| System {
            sys: root("/sys"),
            proc: root("/proc"),
            dev: root("/dev"),
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;
