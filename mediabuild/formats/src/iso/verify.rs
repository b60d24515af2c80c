//! Checking a disc: everything its structures say twice, and every checksum they have.

use super::SECTOR_SIZE_BYTES;
use super::disc::{BootCatalog, Disc, Finding};
use super::el_torito;
use super::iso9660::open::{IsoVolume, check_both_endian};
use super::iso9660::{path_table, walk};
use super::report::Report;
use super::sectors::Sectors;
use super::udf;
use super::udf::open::{UdfVolume, each_descriptor};
use super::udf::partition::Mapping;
use super::udf::tag::{self, Tag};
use crate::field::{bytes_at, u32_at, u64_at};
use crate::source::Source;
use crate::volume::{Entry, ReadError};

/// All findings, in the order of the structures.
pub(super) fn verify<S: Source + ?Sized>(disc: &Disc, sectors: Sectors<'_, S>) -> Vec<Finding> {
    let mut report = Report::collecting();
    for volume in &disc.iso_volumes {
        let checked = check_iso(sectors, volume, &mut report);
        keep_on(checked, &mut report);
    }
    if let Some(volume) = &disc.udf {
        let sectors = sectors.sized(volume.sector_size_bytes);
        check_anchors(volume, &mut report);
        let checked = check_sequences(sectors, volume, &mut report);
        keep_on(checked, &mut report);
        let checked = check_udf_tree(sectors, volume, &mut report);
        keep_on(checked, &mut report);
    }
    if let Some(catalog) = &disc.boot {
        let checked = check_boot(sectors, catalog, &mut report);
        keep_on(checked, &mut report);
    }
    let mut findings = disc.findings.clone();
    findings.extend(report.into_findings());
    findings
}

fn keep_on(checked: Result<(), ReadError>, report: &mut Report) {
    if let Err(error) = checked {
        report.error(error).expect("a collecting report takes all");
    }
}

fn check_iso<S: Source + ?Sized>(
    sectors: Sectors<'_, S>,
    volume: &IsoVolume,
    report: &mut Report,
) -> Result<(), ReadError> {
    let descriptor = sectors.read(volume.descriptor_sector)?;
    check_both_endian(&descriptor, volume.descriptor_sector, report);
    let offset_bytes = volume.descriptor_sector * SECTOR_SIZE_BYTES + 80;
    if u64::from(volume.size_sectors) > sectors.count() {
        let (said, is) = (volume.size_sectors, sectors.count());
        report.minor(offset_bytes, || format!("the volume has {said} sectors, the disc {is}"));
    }
    let (_, directories) = walk::walk(sectors, volume, report)?;
    path_table::check(sectors, volume, &directories, report)
}

fn check_anchors(volume: &UdfVolume, report: &mut Report) {
    let Some((first, others)) = volume.anchors.split_first() else { return };
    let offset_bytes = first.sector * volume.sector_size_bytes;
    if others.is_empty() {
        say(report, volume, offset_bytes, || "there is only one anchor".to_owned());
    }
    for other in others.iter().filter(|it| (it.main, it.reserve) != (first.main, first.reserve)) {
        let (first, other) = (first.sector, other.sector);
        report.minor(offset_bytes, || format!("the anchors at sectors {first} and {other} differ"));
    }
}

/// What is wrong with a disc that is complete; one that is written bit by bit, to which more may
/// come, has no second anchor, and its counts are elsewhere.
fn say(
    report: &mut Report,
    volume: &UdfVolume,
    offset_bytes: u64,
    message: impl FnOnce() -> String,
) {
    let is_open =
        volume.partitions.iter().any(|partition| matches!(partition.mapping, Mapping::Virtual(_)));
    match is_open {
        true => report.remark(offset_bytes, message),
        false => report.minor(offset_bytes, message),
    }
}

/// Both volume descriptor sequences: CRCs, locations, and equal content.
fn check_sequences<S: Source + ?Sized>(
    sectors: Sectors<'_, S>,
    volume: &UdfVolume,
    report: &mut Report,
) -> Result<(), ReadError> {
    let Some(anchor) = volume.anchors.first() else { return Ok(()) };
    let mut bodies = [Vec::new(), Vec::new()];
    for (bodies, extent) in bodies.iter_mut().zip([anchor.main, anchor.reserve]) {
        each_descriptor(sectors, extent, |offset_bytes, bytes| {
            check_crc_and_location(&bytes, offset_bytes, volume.sector_size_bytes, report);
            // Behind the tag is the sequence number, which some writers count through both.
            let body = bytes_at(&bytes, tag::TAG_SIZE_BYTES + 4, bytes.len()).to_vec();
            bodies.push((Tag::of(&bytes).identifier, body));
            Ok(())
        })?;
    }
    let offset_bytes = u64::from(anchor.reserve.sector) * volume.sector_size_bytes;
    let [main, reserve] = bodies;
    if main == reserve {
        return Ok(());
    }
    if without_set_ids(main) == without_set_ids(reserve) {
        // genisoimage draws two random ids; no reader compares them.
        let message = "the reserve sequence has another volume set id than the main one";
        report.remark(offset_bytes, || message.to_owned());
    } else {
        report.minor(offset_bytes, || "the reserve sequence differs from the main one".to_owned());
    }
    Ok(())
}

/// Descriptors without their tags and numbers, the volume set id of the primary one blanked.
fn without_set_ids(mut bodies: Vec<(u16, Vec<u8>)>) -> Vec<(u16, Vec<u8>)> {
    const SET_ID: std::ops::Range<usize> = 72 - 20..200 - 20;
    for (_, body) in bodies.iter_mut().filter(|(kind, _)| *kind == tag::PRIMARY_VOLUME) {
        if let Some(id) = body.get_mut(SET_ID) {
            id.fill(0);
        }
    }
    bodies
}

fn check_crc_and_location(
    descriptor: &[u8],
    offset_bytes: u64,
    sector_size_bytes: u64,
    report: &mut Report,
) {
    let Tag { identifier, location, .. } = Tag::of(descriptor);
    if !tag::is_crc_right(descriptor) {
        report.minor(offset_bytes, || format!("tag {identifier} has a wrong CRC"));
    }
    let sector = offset_bytes / sector_size_bytes;
    if u64::from(location) != sector {
        let message = || format!("tag {identifier} says sector {location}, it is in {sector}");
        report.minor(offset_bytes, message);
    }
}

/// The file set, the tree, and what the integrity descriptor says of them.
fn check_udf_tree<S: Source + ?Sized>(
    sectors: Sectors<'_, S>,
    volume: &UdfVolume,
    report: &mut Report,
) -> Result<(), ReadError> {
    let offset_bytes = volume.offset_bytes(volume.file_set)?;
    let file_set = sectors.bytes(offset_bytes, volume.sector_size_bytes)?;
    if !tag::is_crc_right(&file_set) {
        report.minor(offset_bytes, || "the file set descriptor has a wrong CRC".to_owned());
    }
    let on_disc = volume.partitions.iter().filter(|partition| !partition.is_inside());
    for partition in on_disc {
        let start_bytes = partition.start_bytes();
        let size_bytes = u64::from(partition.size_blocks) * partition.block_size_bytes;
        if let Err(error) = sectors.check(start_bytes, size_bytes) {
            report.error(error)?;
        }
    }
    let entries = udf::walk::walk(sectors, volume, report)?;
    check_integrity(sectors, volume, &entries, report)
}

/// ECMA-167 3/10.10 with the counts of OSTA UDF 1.02, 2.2.6.4.
fn check_integrity<S: Source + ?Sized>(
    sectors: Sectors<'_, S>,
    volume: &UdfVolume,
    entries: &[Entry],
    report: &mut Report,
) -> Result<(), ReadError> {
    const CLOSED: u32 = 1;
    let Some((offset_bytes, bytes)) = udf::integrity::prevailing(sectors, volume.integrity)? else {
        return Ok(());
    };
    check_crc_and_location(&bytes, offset_bytes, volume.sector_size_bytes, report);
    if u32_at(&bytes, 28) != CLOSED {
        say(report, volume, offset_bytes, || "the volume was not closed".to_owned());
    }
    let partition_count = u32_at(&bytes, 72) as usize;
    let counts = 80_usize.saturating_add(partition_count.saturating_mul(8)).saturating_add(32);
    let said = (u32_at(&bytes, counts), u32_at(&bytes, counts.saturating_add(4)));
    let directories = entries.iter().filter(|entry| entry.is_directory).count();
    let is = ((entries.len() - directories) as u64, directories as u64 + 1);
    if (u64::from(said.0), u64::from(said.1)) != is {
        say(report, volume, offset_bytes, || {
            let ((files, directories), (files_is, directories_is)) = (said, is);
            format!(
                "{files} files and {directories} directories are announced, there are {files_is} \
                 and {directories_is}"
            )
        });
    }
    if u64_at(&bytes, 40) == 0 {
        report.minor(offset_bytes, || "the next unique id is 0".to_owned());
    }
    Ok(())
}

fn check_boot<S: Source + ?Sized>(
    sectors: Sectors<'_, S>,
    catalog: &BootCatalog,
    report: &mut Report,
) -> Result<(), ReadError> {
    let offset_bytes = u64::from(catalog.lba) * SECTOR_SIZE_BYTES;
    if !el_torito::is_checksum_right(&sectors.read(catalog.lba.into())?) {
        report.minor(offset_bytes, || "the boot catalog has a wrong checksum".to_owned());
    }
    for image in &catalog.images {
        let start_bytes = u64::from(image.lba) * SECTOR_SIZE_BYTES;
        let size_bytes = u64::from(image.sector_count.max(1)) * 512;
        if let Err(error) = sectors.check(start_bytes, size_bytes) {
            report.error(error)?;
        }
    }
    Ok(())
}
