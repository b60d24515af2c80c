//! Text dumps: a WIM and its images, one fact per line, for people and for goldens.

use std::fmt::Write;

use super::archive::Wim;
use super::blob::BlobEntry;
use super::chunks::Chunk;
use super::dentry::{Dentry, Image};
use super::error::Error;
use super::hash::Sha1;
use super::header::{ResourceHeader, resource_flag};
use super::tagged;
use crate::source::Source;

/// How much a dump shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// No chunks.
    Files,
    /// Where every chunk of every resource is, and how large.
    Chunks,
}

/// Header, XML data, solid resources, blobs and images. What cannot be parsed shows its error
/// instead.
pub fn dump<S: Source + ?Sized>(wim: &Wim, source: &S, detail: Detail) -> String {
    let mut text = dump_header(wim);
    line(&mut text, format_args!("xml {}", wim.xml.to_text()));
    for solid in &wim.solid {
        line(&mut text, format_args!("solid {}", entry(solid)));
        dump_chunks(wim, source, solid, detail, &mut text);
    }
    for blob in &wim.blobs {
        line(&mut text, format_args!("blob {}", entry(blob)));
        if !blob.is_solid() {
            dump_chunks(wim, source, blob, detail, &mut text);
        }
    }
    for (index, metadata) in (1..).zip(&wim.images) {
        line(&mut text, format_args!("image {index} {}", entry(metadata)));
        dump_chunks(wim, source, metadata, detail, &mut text);
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
    if wim.is_pipable() {
        line(&mut text, format_args!("pipable"));
    }
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

/// How a resource is coded, where it says so itself, and its chunks if they are asked for.
fn dump_chunks<S: Source + ?Sized>(
    wim: &Wim,
    source: &S,
    entry: &BlobEntry,
    detail: Detail,
    text: &mut String,
) {
    let is_chunked = entry.resource.has(resource_flag::COMPRESSED | resource_flag::SOLID);
    let is_shown = entry.is_solid() || detail == Detail::Chunks;
    if !is_chunked || !is_shown || wim.check_here(entry).is_err() {
        return;
    }
    let chunks = match wim.chunks(source, &entry.resource) {
        Ok(chunks) => chunks,
        Err(error) => return line(text, format_args!("  {}", error_line(&error))),
    };
    if entry.is_solid() {
        let (size, chunk) = (chunks.size_bytes(), chunks.chunk_bytes());
        let codec = chunks.codec();
        line(text, format_args!("  size={size} chunk-bytes={chunk} codec={codec:?}"));
    }
    let count = if detail == Detail::Chunks { chunks.count() } else { 0 };
    for (index, chunk) in (0..count).map(|index| (index, chunks.chunk(index))) {
        let Chunk { offset_bytes, stored_bytes, size_bytes } = chunk;
        let raw = if stored_bytes == size_bytes { " raw" } else { "" };
        let place = format_args!(
            "  chunk {index} offset={offset_bytes:#x} stored={stored_bytes} size={size_bytes}{raw}"
        );
        line(text, place);
    }
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
        ("tagged", tagged::describe(&dentry.tagged)),
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
