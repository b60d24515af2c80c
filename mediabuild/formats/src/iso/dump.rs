//! A disc as text, for people and for tests that compare whole discs.

use std::fmt::{self, Display, Write};

use jiff::Timestamp;

use super::SECTOR_SIZE_BYTES;
use super::disc::{BootCatalog, Disc};
use super::iso9660::open::IsoVolume;
use super::udf::open::UdfVolume;
use super::udf::partition::Mapping;
use crate::source::Source;
use crate::volume::{Entry, FileExtent, ReadError};

pub(super) fn dump<S: Source + ?Sized>(disc: &Disc, source: &S) -> Result<String, ReadError> {
    let mut text = String::new();
    let size_bytes = disc.size_bytes;
    line(
        &mut text,
        format_args!("disc {size_bytes} bytes, {} sectors", size_bytes / SECTOR_SIZE_BYTES),
    );
    for volume in &disc.iso_volumes {
        iso_volume(&mut text, volume);
    }
    if let Some(volume) = &disc.udf {
        udf_volume(&mut text, volume);
    }
    if let Some(catalog) = &disc.boot {
        boot_catalog(&mut text, catalog);
    }
    for view in disc.views() {
        line(&mut text, format_args!("tree {}", view.name()));
        for entry in disc.walk(source, view)? {
            tree_entry(&mut text, &entry);
        }
    }
    Ok(text)
}

fn iso_volume(text: &mut String, volume: &IsoVolume) {
    let name = volume.view.name();
    line(text, format_args!("volume {name} at sector {}", volume.descriptor_sector));
    line(text, format_args!("  label {:?}", volume.label));
    line(text, format_args!("  set {:?}", volume.volume_set_id));
    line(text, format_args!("  application {:?}", volume.application));
    line(text, format_args!("  created {}", Time(volume.created_seconds)));
    line(text, format_args!("  size {} sectors", volume.size_sectors));
    line(
        text,
        format_args!("  root at sector {}, {} bytes", volume.root.sector, volume.root.size_bytes),
    );
    let (l, m) = (volume.path_table_l_sector, volume.path_table_m_sector);
    let size = volume.path_table_size_bytes;
    line(text, format_args!("  path tables at sectors {l} and {m}, {size} bytes"));
}

fn udf_volume(text: &mut String, volume: &UdfVolume) {
    let revision = volume.revision;
    line(text, format_args!("volume UDF {:x}.{:02x}", revision >> 8, revision & 0xFF));
    line(text, format_args!("  label {:?}", volume.label));
    line(text, format_args!("  set {:?}", volume.volume_set_id));
    line(text, format_args!("  recorded {}", Time(volume.recorded_seconds)));
    if volume.sector_size_bytes != SECTOR_SIZE_BYTES {
        line(text, format_args!("  sectors of {} bytes", volume.sector_size_bytes));
    }
    for anchor in &volume.anchors {
        let (main, reserve) = (anchor.main.sector, anchor.reserve.sector);
        line(
            text,
            format_args!("  anchor at sector {}: sequences at {main} and {reserve}", anchor.sector),
        );
    }
    line(text, format_args!("  integrity at sector {}", volume.integrity.sector));
    for partition in &volume.partitions {
        let (start, size) = (partition.start_sector, partition.size_blocks);
        let kind = match partition.mapping {
            Mapping::Direct => String::new(),
            _ => format!(", {}", partition.mapping.name()),
        };
        line(text, format_args!("  partition at sector {start}, {size} blocks{kind}"));
    }
    let (file_set, root) = (volume.file_set.block, volume.root.block);
    line(text, format_args!("  file set at block {file_set}, root at block {root}"));
}

fn boot_catalog(text: &mut String, catalog: &BootCatalog) {
    line(text, format_args!("boot catalog at sector {}", catalog.lba));
    for image in &catalog.images {
        let platform = match image.platform {
            0x00 => "BIOS".to_owned(),
            0xEF => "UEFI".to_owned(),
            other => format!("platform {other:#04x}"),
        };
        let state = if image.is_bootable { "bootable" } else { "not bootable" };
        let (media, segment) = (image.media, image.load_segment);
        let (lba, count) = (image.lba, image.sector_count);
        line(
            text,
            format_args!(
                "  {platform} {state}, media {media}, segment {segment:#x}, at sector {lba}, \
                 {count} x 512 bytes"
            ),
        );
    }
}

fn tree_entry(text: &mut String, entry: &Entry) {
    let Entry { path, size_bytes, .. } = entry;
    // A name may hold what would steer a terminal.
    let path = path.escape_debug();
    let time = Time(entry.modified_seconds);
    if entry.is_directory {
        line(text, format_args!("  {time} {path}/"));
        return;
    }
    if let Some(link) = &entry.link {
        line(text, format_args!("  {time} {path} -> {}", link.escape_debug()));
        return;
    }
    let places: Vec<String> = entry.extents.iter().map(place).collect();
    let places = if places.is_empty() { "nowhere".to_owned() } else { places.join(" ") };
    line(text, format_args!("  {time} {path} {size_bytes} at {places}"));
}

/// The sector of an extent; a byte offset if it starts inside one.
fn place(extent: &FileExtent) -> String {
    match extent.offset_bytes {
        None => format!("zeros+{}", extent.size_bytes),
        Some(offset) if offset % SECTOR_SIZE_BYTES == 0 => (offset / SECTOR_SIZE_BYTES).to_string(),
        Some(offset) => format!("byte {offset}"),
    }
}

struct Time(Option<i64>);

impl Display for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.and_then(|seconds| Timestamp::from_second(seconds).ok()) {
            Some(timestamp) => write!(formatter, "{timestamp}"),
            None => formatter.write_str("-"),
        }
    }
}

fn line(text: &mut String, arguments: fmt::Arguments<'_>) {
    writeln!(text, "{arguments}").expect("a string takes all");
}
