//! What uses a disk: mounted file systems, swap, volumes that are built on it.

use std::fs;

use super::System;
use super::disk::{Disk, Part};
use crate::failure::Failure;

/// Why the disk must not be written, and what to do about each; empty if nothing uses it.
///
/// # Errors
/// The system does not say what is mounted: then nothing is known to be free.
pub(crate) fn uses(disk: &Disk, system: &System) -> Result<Vec<String>, Failure> {
    let read = |name: &str| {
        let path = system.proc.join(name);
        fs::read_to_string(&path).map_err(|error| Failure::io("read", &path, &error))
    };
    let mounts = read("self/mountinfo")?;
    // A kernel without swap has no list of it.
    let swaps = read("swaps").unwrap_or_default();
    let mut uses = Vec::new();
    for part in &disk.parts {
        let device = system.dev.join(&part.name).to_string_lossy().into_owned();
        let mounted = mounts.lines().filter_map(|line| mount_point(line, part, &device));
        uses.extend(
            mounted.map(|point| format!("{} is mounted at {point} (umount '{point}')", part.name)),
        );
        if swaps.lines().any(|line| line.split_whitespace().next() == Some(&device)) {
            uses.push(format!("{} is swap space (swapoff {device})", part.name));
        }
        uses.extend(part.holders.iter().map(|holder| format!("{holder} lies on {}", part.name)));
    }
    Ok(uses)
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`: the fifth field, if the third
/// is this part's number, or the one behind the source is its device (btrfs has numbers of its own).
fn mount_point(line: &str, part: &Part, device: &str) -> Option<String> {
    let (place, source) = line.split_once(" - ")?;
    let fields: Vec<&str> = place.split(' ').collect();
    let is_here = *fields.get(2)? == part.number || source.split(' ').nth(1) == Some(device);
    // A space in a path is `\040`.
    is_here.then(|| fields.get(4).map_or_else(String::new, |path| path.replace("\\040", " ")))
}
