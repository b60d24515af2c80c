//! `inspect info`: headers, images, volumes, boot entries.

use mediabuild_formats::iso::{Disc, View};
use mediabuild_formats::source::Source;
use mediabuild_formats::wim::{Compression, Element, Wim};
use serde_json::{Value, json};

use super::medium::{Medium, open};
use crate::cli::{Format, InspectInfo};
use crate::failure::Failure;
use crate::progress::print_line;
use crate::size::{human, time};

/// Prints what the file says of itself.
pub(super) fn run(info: &InspectInfo, format: Format) -> Result<(), Failure> {
    let (medium, source) = open(&info.file)?;
    let facts = match &medium {
        Medium::Wim(wim) => wim_facts(wim, source.size_bytes()),
        Medium::Disc(disc) => disc_facts(disc, source.size_bytes()),
        Medium::Disk(disk) => disk.facts(source.size_bytes()),
    };
    match format {
        Format::Json => print_line(&facts.to_string()),
        Format::Text => print_facts(&facts, 0),
    }
    Ok(())
}

fn wim_facts(wim: &Wim, size_bytes: u64) -> Value {
    let header = &wim.header;
    let compression = match header.compression() {
        Compression::None => "none",
        Compression::Xpress => "XPRESS",
        Compression::Lzx => "LZX",
        Compression::Lzms => "LZMS",
    };
    let guid: String = header.guid.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "format": "WIM",
        "size": size_bytes,
        "version": format!("{:#x}", header.version),
        "flags": format!("{:#x}", header.flags),
        "guid": guid,
        "compression": compression,
        "chunk-size": header.chunk_bytes,
        "part": format!("{} of {}", header.part_number, header.part_count),
        "boot-index": header.boot_index,
        "integrity-table": header.integrity.size_bytes != 0,
        "blobs": wim.blobs.len(),
        "solid-resources": wim.solid.len(),
        "images": (1..=wim.images.len()).map(|index| image_facts(wim, index)).collect::<Vec<_>>(),
    })
}

fn image_facts(wim: &Wim, index: usize) -> Value {
    let mut facts = json!({ "index": index });
    if let Some(image) = wim.xml.image(index) {
        add_elements(&mut facts, image);
    }
    facts
}

/// The XML's own words, as the file has them.
fn add_elements(facts: &mut Value, element: &Element) {
    for child in element.elements() {
        let value = match (child.elements().next(), child.elements().count()) {
            (None, _) => json!(element.text(&child.name).unwrap_or_default()),
            (Some(first), _) if first.name == "HIGHPART" => {
                json!(element.time(&child.name).map(|filetime| time(filetime.unix_seconds())))
            }
            _ => {
                let mut inner = json!({});
                add_elements(&mut inner, child);
                inner
            }
        };
        facts[child.name.as_str()] = value;
    }
}

fn disc_facts(disc: &Disc, size_bytes: u64) -> Value {
    let views: Vec<Value> = disc
        .views()
        .into_iter()
        .map(|view| json!({ "file-system": view_name(view), "label": disc.label(view) }))
        .collect();
    let boot = disc.boot().map(|catalog| {
        let entry = |image: &mediabuild_formats::iso::BootImage| {
            json!({
                "firmware": match image.platform { 0 => "BIOS".into(), 0xef => "UEFI".into(), other => format!("{other:#04x}") },
                "bootable": image.is_bootable,
                "emulation": image.media != 0,
                "sector-count": image.sector_count,
                "lba": image.lba,
            })
        };
        catalog.images.iter().map(entry).collect::<Vec<_>>()
    });
    json!({
        "format": "ISO",
        "size": size_bytes,
        "volumes": views,
        "boot-entries": boot.unwrap_or_default(),
    })
}

pub(super) fn view_name(view: View) -> &'static str {
    match view {
        View::Udf => "UDF",
        View::Joliet => "Joliet",
        View::RockRidge => "Rock Ridge",
        View::Iso9660 => "ISO 9660",
    }
}

/// Facts as indented lines.
fn print_facts(facts: &Value, depth: usize) {
    let Value::Object(facts) = facts else { return };
    for (name, value) in facts {
        let indent = "  ".repeat(depth);
        match value {
            Value::Array(items) => {
                for item in items {
                    print_line(&format!("{indent}{name}:"));
                    print_facts(item, depth + 1);
                }
            }
            Value::Object(_) => {
                print_line(&format!("{indent}{name}:"));
                print_facts(value, depth + 1);
            }
            Value::Number(size) if name == "size" => {
                let bytes = size.as_u64().unwrap_or(0);
                print_line(&format!("{indent}{name}: {bytes} ({})", human(bytes)));
            }
            Value::String(text) => print_line(&format!("{indent}{name}: {text}")),
            other => print_line(&format!("{indent}{name}: {other}")),
        }
    }
}
