//! Booting a medium in an emulator, and telling whether it did: by what the medium writes to the
//! serial port, or by what is on the screen.
//!
//! Whether a medium boots is otherwise seen at the bench, by ten machines at a time. QEMU with
//! SeaBIOS and OVMF reads the same boot entries, partition tables and file systems as real firmware.
//! The medium is only read, whatever the guest writes.

mod firmware;
mod log;
mod machine;
mod qemu;
mod screen;
mod watch;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;

pub(crate) use self::machine::{Ended, boot};
pub(crate) use self::screen::Picture;
pub(crate) use self::watch::Seen;

/// What starts the medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Firmware {
    Bios,
    Uefi,
}

impl Firmware {
    /// For people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Firmware::Bios => "BIOS",
            Firmware::Uefi => "UEFI",
        }
    }
}

/// How the medium is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Attached {
    /// A CD or DVD
    Cd,
    /// A USB stick
    Usb,
    /// A virtual machine's disk
    Virtio,
}

impl Attached {
    /// For people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Attached::Cd => "CD",
            Attached::Usb => "USB",
            Attached::Virtio => "virtio",
        }
    }
}

/// One boot.
pub(crate) struct Boot<'a> {
    pub(crate) medium: &'a Path,
    pub(crate) firmware: Firmware,
    pub(crate) attached: Attached,
    pub(crate) secure_boot: bool,
    /// The processor's help is not asked for.
    pub(crate) emulated: bool,
    pub(crate) memory_bytes: u64,
    /// Enter is pressed while the medium may ask for a key.
    pub(crate) press_key: bool,
    pub(crate) time_limit: Duration,
    /// What is waited for.
    pub(crate) marker: Option<&'a str>,
    pub(crate) screen: Option<&'a Picture>,
    /// Where a picture of the last screen goes.
    pub(crate) screenshot: Option<PathBuf>,
}
