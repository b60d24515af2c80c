//! Text dumps: a WIM and its images, one fact per line, for people and for goldens.

use std::fmt::Write;

use super::archive::Wim;
use super::blob::BlobEntry;
use super::dentry::{Dentry, Image};
use super::error::Error;
use super::hash::Sha1;
use super::header::ResourceHeader;
use crate::source::Source;

/// Header, XML data, blobs and images. An image that cannot be parsed shows its error instead.
pub fn dump<S: Source + ?Sized>(wim: &Wim, source: &S) -> String {
    let mut text = dump_header(wim);
    line(&mut text, format_args!("xml {}", wim.xml.to_text()));
    for blob in &wim.blobs {
        line(&mut text, format_args!("blob {}", entry(blob)));
    }
    for (index, metadata) in (1..).zip(&wim.images) {
        line(&mut text, format_args!("image {index} {}", entry(metadata)));
        match wim.image(source, index) {
            Ok(image) => text.push_str(&dump_image(&image)),
            Err(error) => line(&mut text, format_args!("  {}", error_line(&error))),
        }
    }
    text
}

/// The security descriptors and dentries of an image, in the order of [`Image::walk`].
pub fn dump_image(image: &Image) -> String {
    let mut text = String::new();
    for (id, descriptor) in image.security.iter().enumerate() {
        let (size, sha1) = (descriptor.len(), Sha1::of(descriptor));
        line(&mut text, format_args!("  security {id} size={size} sha1={sha1}"));
    }
    for (path, dentry) in image.walk() {
        dump_dentry(&path, dentry, &mut text);
    }
    text
}

fn dump_header(wim: &Wim) -> String {
    let header = &wim.header;
    let mut text = String::new();
    line(&mut text, format_args!("version {:#x}", header.version));
    line(&mut text, format_args!("flags {:#x} ({:?})", header.flags, header.compression()));
    line(&mut text, format_args!("chunk-bytes {}", header.chunk_bytes));
    let guid: String = header.guid.iter().map(|byte| format!("{byte:02x}")).collect();
    line(&mut text, format_args!("guid {guid}"));
    line(&mut text, format_args!("part {} of {}", header.part_number, header.part_count));
    line(&mut text, format_args!("images {} boot {}", header.image_count, header.boot_index));
    for (name, value) in [
        ("blob-table", &header.blob_table),
        ("xml-data", &header.xml),
        ("boot-metadata", &header.boot_metadata),
        ("integrity", &header.integrity),
    ] {
        line(&mut text, format_args!("{name} {}", resource(value)));
    }
    text
}

fn dump_dentry(path: &str, dentry: &Dentry, text: &mut String) {
    let times = [dentry.creation, dentry.access, dentry.write].map(|time| time.0);
    let _ = write!(
        text,
        "  /{} attributes={:#x} security={} times={times:?}",
        path.escape_debug(),
        dentry.attributes,
        dentry.security_id,
    );
    let optional = [
        ("short", dentry.short_name.to_string()),
        ("link", if dentry.hard_link == 0 { String::new() } else { dentry.hard_link.to_string() }),
        ("data", if dentry.data == Sha1::ZERO { String::new() } else { dentry.data.to_string() }),
        ("reserved", non_zero(&dentry.reserved)),
        ("unknown", non_zero(&[u64::from(dentry.unknown)])),
        ("tagged", tagged(&dentry.tagged)),
    ];
    for (name, value) in optional.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = write!(text, " {name}={}", value.escape_debug());
    }
    if let Some(reparse) = &dentry.reparse {
        let (tag, flags, reserved, sha1) =
            (reparse.tag, reparse.flags, reparse.reserved, reparse.sha1);
        let _ = write!(text, " reparse={tag:#x} flags={flags} reserved={reserved} {sha1}");
    }
    for stream in &dentry.streams {
        let name = stream.name.to_string();
        let _ = write!(text, " stream={} {}", name.escape_debug(), stream.sha1);
    }
    text.push('\n');
}

fn tagged(items: &[u8]) -> String {
    match items.len() {
        0 => String::new(),
        size => format!("{size}:{}", Sha1::of(items)),
    }
}

fn non_zero(values: &[u64]) -> String {
    if values.iter().all(|&value| value == 0) { String::new() } else { format!("{values:x?}") }
}

fn entry(entry: &BlobEntry) -> String {
    let BlobEntry { resource: location, part_number, reference_count, sha1 } = entry;
    format!("{sha1} part={part_number} references={reference_count} {}", resource(location))
}

fn resource(resource: &ResourceHeader) -> String {
    let ResourceHeader { stored_bytes, flags, offset_bytes, size_bytes } = resource;
    format!("offset={offset_bytes:#x} stored={stored_bytes} size={size_bytes} flags={flags:#x}")
}

fn error_line(error: &Error) -> String {
    format!("error: {error}")
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{arguments}");
}
