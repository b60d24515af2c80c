//! What is wrong with a volume: the tree, then copies that differ, counts and lost clusters.

use super::boot_sector::{self, BootSector, SECTOR_BYTES};
use super::chain::{Chains, Link};
use super::geometry::Variant;
use super::walk::survey;
use crate::source::Source;
use crate::volume::Finding;
use crate::volume::read_error::{ReadError, read_bytes};

/// FATs are compared in pieces of this size.
const PIECE_BYTES: u64 = 1 << 20;

pub(super) fn verify<S: Source + ?Sized>(boot: &BootSector, source: &S) -> Vec<Finding> {
    let (chains, mut findings) = survey(boot, source);
    let is_tree_whole = findings.is_empty();
    for check in [first_entry(boot, &chains), copies(boot, source), backup(boot, source)] {
        match check {
            Ok(found) => findings.extend(found),
            Err(error) => findings.push(Finding::of(&error)),
        }
    }
    // Clusters of what could not be read are not lost.
    if is_tree_whole {
        match counts(boot, source, &chains) {
            Ok(found) => findings.extend(found),
            Err(error) => findings.push(Finding::of(&error)),
        }
    }
    findings
}

/// The first entry repeats the media byte.
fn first_entry<S: Source + ?Sized>(
    boot: &BootSector,
    chains: &Chains<'_, S>,
) -> Result<Vec<Finding>, ReadError> {
    let value = chains.value(0)?;
    let is_right = value & 0xFF == u32::from(boot.media);
    let offset_bytes = boot.geometry.fat_offset_bytes(0);
    let what = format!("the FAT begins with {value:#x}, and the media byte is {:#x}", boot.media);
    Ok(if is_right { Vec::new() } else { vec![Finding::at(offset_bytes, &what)] })
}

/// All FATs are equal.
fn copies<S: Source + ?Sized>(boot: &BootSector, source: &S) -> Result<Vec<Finding>, ReadError> {
    let geometry = boot.geometry;
    let fat_bytes = geometry.fat_sectors * geometry.sector_bytes;
    let mut findings = Vec::new();
    for fat in 1..geometry.fat_count {
        let (first, other) = (geometry.fat_offset_bytes(0), geometry.fat_offset_bytes(fat));
        let mut at = 0;
        while at < fat_bytes {
            let size_bytes = PIECE_BYTES.min(fat_bytes - at);
            if read_bytes(source, first + at, size_bytes)?
                != read_bytes(source, other + at, size_bytes)?
            {
                let what = format!("FAT {} differs from the first", fat + 1);
                findings.push(Finding::at(other + at, &what));
                break;
            }
            at += size_bytes;
        }
    }
    Ok(findings)
}

/// The copy of FAT32's boot sector is one.
fn backup<S: Source + ?Sized>(boot: &BootSector, source: &S) -> Result<Vec<Finding>, ReadError> {
    let sector = boot.backup_sector;
    let is_there = sector != 0 && u64::from(sector) < boot.geometry.reserved_sectors;
    if boot.geometry.variant != Variant::Fat32 || !is_there {
        return Ok(Vec::new());
    }
    let offset_bytes = u64::from(sector) * boot.geometry.sector_bytes;
    let [first, copy] = [
        read_bytes(source, 0, SECTOR_BYTES as u64)?,
        read_bytes(source, offset_bytes, SECTOR_BYTES as u64)?,
    ];
    let finding = Finding::at(offset_bytes, "the copy of the boot sector differs from it");
    Ok(if first == copy { Vec::new() } else { vec![finding] })
}

/// Clusters that nothing uses and that are not free, and what FSInfo tells.
fn counts<S: Source + ?Sized>(
    boot: &BootSector,
    source: &S,
    chains: &Chains<'_, S>,
) -> Result<Vec<Finding>, ReadError> {
    let geometry = boot.geometry;
    let (mut free_count, mut lost_count) = (0u64, 0u64);
    for cluster in 2..geometry.cluster_count as u32 + 2 {
        match chains.link(cluster)? {
            Link::Free => free_count += 1,
            // A bad cluster is nobody's.
            Link::Unusable(_) => {}
            Link::Next(_) | Link::End => lost_count += u64::from(!chains.is_visited(cluster)),
        }
    }
    let mut findings = Vec::new();
    if lost_count > 0 {
        let what = format!("{lost_count} clusters belong to no file");
        findings.push(Finding::at(geometry.fat_offset_bytes(0), &what));
    }
    let sector = boot.fs_info_sector;
    if sector != 0 && u64::from(sector) < geometry.reserved_sectors {
        let offset_bytes = u64::from(sector) * geometry.sector_bytes;
        let told =
            boot_sector::decode_fs_info(&read_bytes(source, offset_bytes, SECTOR_BYTES as u64)?);
        if let Some(told) = told.filter(|told| u64::from(*told) != free_count) {
            let what = format!("FSInfo tells {told} free clusters, {free_count} are free");
            findings.push(Finding::at(offset_bytes, &what));
        }
    }
    Ok(findings)
}
