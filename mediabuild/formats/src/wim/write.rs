//! The writer: images and resources to a layout, the same bytes for the same input.
//!
//! ```text
//! header · file resources by first reference · metadata resources · blob table · XML data
//! ```
//! Metadata resources are uncompressed literals; file resources are contents named by the caller.
//! The GUID is derived from everything the file says about its contents.

use std::collections::BTreeMap;

use sha1::Digest;

use super::blob::{BlobEntry, IMAGE_LIMIT};
use super::count::Counts;
use super::dentry::Image;
use super::error::Error;
use super::hash::Sha1;
use super::header::{
    Compression, HEADER_BYTES, Header, ResourceHeader, VERSION_DEFAULT, header_flag, resource_flag,
};
use super::metadata_write::encode_metadata;
use super::xml::{Element, Xml, XmlNode};
use crate::layout::Sink;

/// An image of the output.
#[derive(Debug, Clone)]
pub struct OutputImage<'a> {
    /// Its tree.
    pub image: &'a Image,
    /// The `IMAGE` element to start from; index and counts are overwritten, the rest is kept.
    pub xml: Element,
}

/// How the bytes of a blob will be in the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource<C> {
    /// Uncompressed.
    Raw {
        /// The blob itself.
        content: C,
        /// Its size.
        size_bytes: u64,
    },
    /// Chunk table and chunks, compressed with the output's codec and chunk size.
    Stored {
        /// The stored form.
        content: C,
        /// Size of the stored form, less than `size_bytes`; as much if it is one chunk, which is
        /// written as [`Resource::Raw`].
        stored_bytes: u64,
        /// Size of the blob.
        size_bytes: u64,
    },
}

/// What a whole output has in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The codec of every [`Resource::Stored`].
    pub compression: Compression,
    /// Its chunk size; ignored without a codec.
    pub chunk_bytes: u32,
    /// The image that boots, counted from 1; 0 for none.
    pub boot_index: u32,
    /// Whether reparse points were made relative to the image's root.
    pub rp_fix: bool,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The header.
    pub header: Header,
    /// Blobs in file order.
    pub blobs: Vec<BlobEntry>,
    /// Metadata resources in image order.
    pub images: Vec<BlobEntry>,
    /// Counts of each image.
    pub counts: Vec<Counts>,
    /// Size of the file.
    pub size_bytes: u64,
}

/// Appends a WIM to an empty `sink`. `resolve` is asked once for each blob that a file refers to.
pub fn write<C: Clone, S: Sink<C>>(
    images: &[OutputImage<'_>],
    options: &Options,
    resolve: &mut dyn FnMut(&Sha1) -> Option<Resource<C>>,
    sink: &mut S,
) -> Result<Written, Error> {
    write_with_root(images, options, &Element::default(), resolve, sink)
}

/// As [`write`](write()), with XML data that starts from the `WIM` element `root` of another file:
/// its attributes and elements are kept, except `IMAGE` and `TOTALBYTES`.
pub fn write_with_root<C: Clone, S: Sink<C>>(
    images: &[OutputImage<'_>],
    options: &Options,
    root: &Element,
    resolve: &mut dyn FnMut(&Sha1) -> Option<Resource<C>>,
    sink: &mut S,
) -> Result<Written, Error> {
    check_options(options, images.len())?;
    let mut plan = Plan::new();
    for output in images {
        plan.add_blobs(output.image, options, resolve)?;
    }
    let metadata: Vec<Vec<u8>> =
        images.iter().map(|output| encode_metadata(output.image)).collect::<Result<_, _>>()?;
    let image_entries: Vec<BlobEntry> =
        metadata.iter().map(|bytes| plan.add_image(bytes)).collect();
    let table: Vec<u8> =
        image_entries.iter().chain(&plan.blobs).flat_map(BlobEntry::encode).collect();
    let blob_table = plan.place(table.len() as u64, resource_flag::METADATA);
    let counts: Vec<Counts> =
        images.iter().map(|output| Counts::of(output.image, |sha1| plan.size_of(sha1))).collect();
    let xml = xml_data(root, images, &counts, plan.next_offset);
    xml.check()?;
    let xml = xml.encode();
    let xml_resource = plan.place(xml.len() as u64, resource_flag::METADATA);
    let header = Header {
        version: VERSION_DEFAULT,
        flags: flags(options),
        chunk_bytes: if options.compression == Compression::None { 0 } else { options.chunk_bytes },
        guid: guid(&table, &metadata, &xml),
        part_number: 1,
        part_count: 1,
        image_count: images.len() as u32,
        blob_table,
        xml: xml_resource,
        boot_metadata: boot_metadata(options, &image_entries),
        boot_index: options.boot_index,
        integrity: ResourceHeader::default(),
    };
    emit(&header, &plan.contents, &metadata, &[table, xml], sink);
    let (blobs, size_bytes) = (plan.blobs, plan.next_offset);
    Ok(Written { header, blobs, images: image_entries, counts, size_bytes })
}

fn check_options(options: &Options, image_count: usize) -> Result<(), Error> {
    let problem = match options.compression {
        Compression::Lzms => return Err(Error::unsupported("LZMS outputs are")),
        // Microsoft's readers demand this size of LZX, and sizes like these of XPRESS.
        Compression::Lzx if options.chunk_bytes != 1 << 15 => "LZX chunks have 32768 bytes",
        Compression::Xpress
            if !options.chunk_bytes.is_power_of_two()
                || !(1 << 12..=1 << 16).contains(&options.chunk_bytes) =>
        {
            "XPRESS chunks have 4096 to 65536 bytes"
        }
        _ if options.boot_index as usize > image_count => "the boot image is not in the output",
        _ if image_count > IMAGE_LIMIT => "more than 65535 images",
        _ => return Ok(()),
    };
    Err(Error::Output { problem: problem.to_owned() })
}

/// Blobs and resources with the places they will have.
struct Plan<C> {
    contents: Vec<(C, u64)>,
    blobs: Vec<BlobEntry>,
    by_sha1: BTreeMap<Sha1, usize>,
    next_offset: u64,
}

impl<C: Clone> Plan<C> {
    fn new() -> Plan<C> {
        Plan {
            contents: Vec::new(),
            blobs: Vec::new(),
            by_sha1: BTreeMap::new(),
            next_offset: HEADER_BYTES as u64,
        }
    }

    /// Counts the blobs of an image, and places those that are new.
    fn add_blobs(
        &mut self,
        image: &Image,
        options: &Options,
        resolve: &mut dyn FnMut(&Sha1) -> Option<Resource<C>>,
    ) -> Result<(), Error> {
        let mut walk = image.walk();
        while let Some((path, dentry)) = walk.next_in_place() {
            for sha1 in dentry.blobs() {
                let position = match self.by_sha1.get(&sha1) {
                    Some(&position) => position,
                    None => {
                        let Some(resource) = resolve(&sha1) else {
                            return Err(Error::MissingBlob { path: path.to_owned(), sha1 });
                        };
                        self.add_blob(sha1, resource, options)?
                    }
                };
                let count = &mut self.blobs[position].reference_count;
                *count = count.saturating_add(1);
            }
        }
        Ok(())
    }

    fn add_blob(
        &mut self,
        sha1: Sha1,
        resource: Resource<C>,
        options: &Options,
    ) -> Result<usize, Error> {
        let (content, stored_bytes, size_bytes, flags) = match resource {
            Resource::Raw { content, size_bytes } => (content, size_bytes, size_bytes, 0),
            // One chunk that is stored raw, without a chunk table: the content itself.
            Resource::Stored { content, stored_bytes, size_bytes }
                if stored_bytes == size_bytes
                    && options.compression != Compression::None
                    && size_bytes <= u64::from(options.chunk_bytes) =>
            {
                (content, size_bytes, size_bytes, 0)
            }
            Resource::Stored { content, stored_bytes, size_bytes } => {
                (content, stored_bytes, size_bytes, resource_flag::COMPRESSED)
            }
        };
        check_stored(&sha1, stored_bytes, size_bytes, flags, options)?;
        let resource = self.place(stored_bytes, flags);
        self.contents.push((content, stored_bytes));
        self.blobs.push(BlobEntry {
            resource: ResourceHeader { size_bytes, ..resource },
            part_number: 1,
            reference_count: 0,
            sha1,
        });
        let position = self.blobs.len() - 1;
        self.by_sha1.insert(sha1, position);
        Ok(position)
    }

    fn add_image(&mut self, metadata: &[u8]) -> BlobEntry {
        BlobEntry {
            resource: self.place(metadata.len() as u64, resource_flag::METADATA),
            part_number: 1,
            reference_count: 1,
            sha1: Sha1::of(metadata),
        }
    }

    /// The next place in the file, for an uncompressed resource.
    fn place(&mut self, stored_bytes: u64, flags: u8) -> ResourceHeader {
        let offset_bytes = self.next_offset;
        self.next_offset += stored_bytes;
        ResourceHeader { stored_bytes, flags, offset_bytes, size_bytes: stored_bytes }
    }

    fn size_of(&self, sha1: &Sha1) -> Option<u64> {
        self.by_sha1.get(sha1).map(|&position| self.blobs[position].resource.size_bytes)
    }
}

fn check_stored(
    sha1: &Sha1,
    stored_bytes: u64,
    size_bytes: u64,
    flags: u8,
    options: &Options,
) -> Result<(), Error> {
    let compressed = flags & resource_flag::COMPRESSED != 0;
    let problem = if size_bytes == 0 {
        "is empty, but its hash is not that of an empty stream"
    } else if compressed && options.compression == Compression::None {
        "is compressed, but the output is not"
    } else if compressed && stored_bytes >= size_bytes {
        // Windows refuses files whose compressed form is as long as the plain one.
        "is not smaller than its content; it must be stored uncompressed"
    } else if size_bytes >= 1 << 56 {
        "is larger than the format's 56-bit sizes"
    } else {
        return Ok(());
    };
    Err(Error::Output { problem: format!("resource {sha1} {problem}") })
}

fn flags(options: &Options) -> u32 {
    let compression = match options.compression {
        Compression::None => 0,
        Compression::Xpress => header_flag::COMPRESSION | header_flag::COMPRESS_XPRESS,
        Compression::Lzx => header_flag::COMPRESSION | header_flag::COMPRESS_LZX,
        Compression::Lzms => header_flag::COMPRESSION | header_flag::COMPRESS_LZMS,
    };
    compression | if options.rp_fix { header_flag::RP_FIX } else { 0 }
}

/// A copy of the boot image's metadata entry, or zeros.
fn boot_metadata(options: &Options, images: &[BlobEntry]) -> ResourceHeader {
    let position = (options.boot_index as usize).checked_sub(1);
    let entry = position.and_then(|position| images.get(position));
    entry.map(|entry| entry.resource).unwrap_or_default()
}

fn guid(table: &[u8], metadata: &[Vec<u8>], xml: &[u8]) -> [u8; 16] {
    let mut hasher = sha1::Sha1::new();
    hasher.update(table);
    metadata.iter().for_each(|bytes| hasher.update(bytes));
    hasher.update(xml);
    let digest: [u8; 20] = hasher.finalize().into();
    super::header::array_at(&digest, 0)
}

/// `WIM{TOTALBYTES, IMAGE…}`, in the order of Windows; what else `base` has stays where it is, with
/// our images in the place of its first one, else at the end.
fn xml_data(base: &Element, images: &[OutputImage<'_>], counts: &[Counts], xml_offset: u64) -> Xml {
    let is_image =
        |node: &XmlNode| matches!(node, XmlNode::Element(element) if element.name == "IMAGE");
    let first_image = base.children.iter().position(is_image).unwrap_or(base.children.len());
    let (before, behind) = base.children.split_at(first_image);
    let kept = |nodes: &[XmlNode]| nodes.iter().filter(|node| is_kept(node)).cloned().collect();
    let mut root = Element::new("WIM");
    root.attributes = base.attributes.clone();
    root.set_text("TOTALBYTES", xml_offset.to_string());
    root.children.extend::<Vec<XmlNode>>(kept(before));
    for ((output, counts), index) in images.iter().zip(counts).zip(1..) {
        root.children.push(XmlNode::Element(image_element(&output.xml, counts, index)));
    }
    root.children.extend::<Vec<XmlNode>>(kept(behind));
    Xml::new(root)
}

/// Whether a child of the root is the caller's: blanks only indent what is not.
fn is_kept(node: &XmlNode) -> bool {
    match node {
        XmlNode::Element(element) => element.name != "IMAGE" && element.name != "TOTALBYTES",
        XmlNode::Text(text) => !text.trim().is_empty(),
    }
}

/// The caller's element with our index and counts: in place where it has them, else in front.
fn image_element(base: &Element, counts: &Counts, index: usize) -> Element {
    let mut element = base.clone();
    element.name = "IMAGE".to_owned();
    element.set_attribute("INDEX", index.to_string());
    let values = [
        ("DIRCOUNT", counts.directories.to_string()),
        ("FILECOUNT", counts.files.to_string()),
        ("TOTALBYTES", counts.total_bytes.to_string()),
        ("HARDLINKBYTES", counts.hard_link_bytes.to_string()),
    ];
    let mut front = 0;
    for (name, value) in values {
        if element.element(name).is_none() {
            element.children.insert(front, XmlNode::Element(Element::new(name)));
            front += 1;
        }
        element.set_text(name, value);
    }
    element
}

fn emit<C, S: Sink<C>>(
    header: &Header,
    contents: &[(C, u64)],
    metadata: &[Vec<u8>],
    tail: &[Vec<u8>],
    sink: &mut S,
) {
    sink.literal(&header.encode());
    for (content, size_bytes) in contents {
        sink.content(content, *size_bytes);
    }
    for bytes in metadata.iter().chain(tail) {
        sink.literal(bytes);
    }
}
