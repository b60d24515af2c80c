//! What sysfs says of disks: <https://docs.kernel.org/admin-guide/sysfs-rules.html>, and of the USB
//! devices they belong to.

use std::fs;
use std::path::{Path, PathBuf};

use super::System;
use crate::failure::Failure;

/// sysfs counts in these, whatever a disk's blocks are.
const SECTOR_SIZE_BYTES: u64 = 512;

/// A whole disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Disk {
    /// `sdb`
    pub(crate) name: String,
    pub(crate) device: PathBuf,
    pub(crate) size_bytes: u64,
    /// Maker and product, by the USB device or else by the disk.
    pub(crate) model: String,
    /// Of the USB device; sticks without one exist.
    pub(crate) serial: Option<String>,
    pub(crate) is_usb: bool,
    pub(crate) is_read_only: bool,
    /// `major:minor` and name of it and of each of its partitions.
    pub(crate) parts: Vec<Part>,
}

/// A disk or a partition, as other parts of the system name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: String,
    /// `8:17`
    pub(crate) number: String,
    /// What is built on it: an encrypted volume, a RAID.
    pub(crate) holders: Vec<String>,
}

/// All disks by name. Those without a medium (card readers) have no size and are left out.
pub(crate) fn disks(system: &System) -> Result<Vec<Disk>, Failure> {
    let folder = system.sys.join("block");
    let mut names = names(&folder).map_err(|error| Failure::io("read", &folder, &error))?;
    names.sort();
    let disks = names.into_iter().filter_map(|name| disk(system, &folder.join(&name), name));
    Ok(disks.filter(|disk| disk.size_bytes > 0).collect())
}

/// `None` for what is no disk (a RAM disk, a loop device), or is gone by now.
fn disk(system: &System, link: &Path, name: String) -> Option<Disk> {
    let folder = link.canonicalize().ok()?;
    // Only what belongs to a device is a disk.
    folder.join("device").exists().then_some(())?;
    let usb = usb_device(&folder);
    let size_bytes = text(&folder.join("size"))?.parse::<u64>().ok()?;
    let mut parts = vec![part(&folder, name.clone())?];
    let below = names(&folder).ok()?.into_iter();
    let partitions = below.filter(|child| folder.join(child).join("partition").exists());
    parts.extend(partitions.filter_map(|child| part(&folder.join(&child), child)));
    parts.sort_by(|one, other| one.name.cmp(&other.name));
    Some(Disk {
        device: system.dev.join(&name),
        size_bytes: size_bytes.checked_mul(SECTOR_SIZE_BYTES)?,
        model: model(&folder, usb.as_deref()),
        serial: usb.as_ref().and_then(|usb| text(&usb.join("serial"))),
        is_usb: usb.is_some(),
        is_read_only: text(&folder.join("ro")).is_none_or(|flag| flag != "0"),
        parts,
        name,
    })
}

/// The USB device that a disk is part of: the nearest folder above that has USB's numbers.
fn usb_device(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|above| above.join("idVendor").exists()).map(Path::to_owned)
}

fn model(folder: &Path, usb: Option<&Path>) -> String {
    let words = |folder: &Path, files: [&str; 2]| {
        let words: Vec<String> = files.iter().filter_map(|file| text(&folder.join(file))).collect();
        words.join(" ")
    };
    let by_usb = usb.map(|usb| words(usb, ["manufacturer", "product"])).unwrap_or_default();
    let by_disk = || words(&folder.join("device"), ["vendor", "model"]);
    let model = if by_usb.is_empty() { by_disk() } else { by_usb };
    if model.is_empty() { "unknown disk".into() } else { model }
}

fn part(folder: &Path, name: String) -> Option<Part> {
    let holders = names(&folder.join("holders")).unwrap_or_default();
    Some(Part { name, number: text(&folder.join("dev"))?, holders })
}

/// The text of an attribute, without white space and control characters; `None` if it is empty.
fn text(path: &Path) -> Option<String> {
    let text = fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&text).replace(|letter: char| letter.is_control(), " ");
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn names(folder: &Path) -> std::io::Result<Vec<String>> {
    let entries = fs::read_dir(folder)?;
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}
