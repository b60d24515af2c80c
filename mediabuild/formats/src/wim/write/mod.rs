//! The writer: images and resources to a layout, the same bytes for the same input.
//!
//! ```text
//! header · file resources by first reference · solid resources · metadata resources · blob table
//! · XML data · [integrity table]
//! ```
//! Metadata resources are literals, compressed if the caller compresses them; all other resources
//! are contents that the caller names. The GUID is derived from everything the file says about its
//! contents.

mod inventory;
mod options;
mod place;
mod solid;
mod split;
mod xml_data;

use inventory::{Collector, Inventory, Metadata};
pub use options::Options;
pub use place::Placed;
use place::{Shared, Tables, guid, place};
pub use solid::{SolidBlob, SolidResource};
pub use split::part_name;
use split::{Room, deal};
use xml_data::xml_data;

use super::blob::BlobEntry;
use super::count::Counts;
use super::dentry::Image;
use super::error::Error;
use super::hash::Sha1;
use super::header::{Compression, HEADER_BYTES, Header};
use super::integrity::table_bytes;
use super::metadata_write::encode_metadata;
use super::xml::Element;
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
    /// Not at all: the file that the output adds to has it, and readers are given both.
    InBase {
        /// Size of the blob.
        size_bytes: u64,
    },
}

/// Asked once for each blob that a file refers to and no solid resource has.
pub type Resolve<'a, C> = dyn FnMut(&Sha1) -> Option<Resource<C>> + 'a;

/// Makes the stored form of a metadata resource; `None` leaves it uncompressed.
type CompressMetadata<'a> = dyn FnMut(&[u8]) -> Option<Vec<u8>> + 'a;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The header.
    pub header: Header,
    /// Blobs in file order.
    pub blobs: Vec<BlobEntry>,
    /// Solid resources in file order.
    pub solid: Vec<BlobEntry>,
    /// Metadata resources in image order.
    pub images: Vec<BlobEntry>,
    /// Counts of each image, those of the whole set in each of its parts.
    pub counts: Vec<Counts>,
    /// Size of the file, with the integrity table if there is to be one.
    pub size_bytes: u64,
}

/// Number of a part and of all parts.
#[derive(Debug, Clone, Copy)]
struct Part {
    number: u16,
    count: u16,
}

/// Appends a WIM to an empty `sink`. `resolve` is asked once for each blob that a file refers to.
pub fn write<C, S: Sink<C>>(
    images: &[OutputImage<'_>],
    options: &Options,
    resolve: &mut Resolve<'_, C>,
    sink: &mut S,
) -> Result<Written, Error> {
    write_with_root(images, options, &Element::default(), resolve, sink)
}

/// As [`write`](write()), with XML data that starts from the `WIM` element `root` of another file:
/// its attributes and elements are kept, except `IMAGE` and `TOTALBYTES`.
pub fn write_with_root<C, S: Sink<C>>(
    images: &[OutputImage<'_>],
    options: &Options,
    root: &Element,
    resolve: &mut Resolve<'_, C>,
    sink: &mut S,
) -> Result<Written, Error> {
    let placed = Writer::new(images, *options).with_root(root).place(resolve)?;
    placed.emit(sink);
    Ok(placed.into_written())
}

/// An output to be, and where everything in it comes from.
pub struct Writer<'a, C> {
    images: &'a [OutputImage<'a>],
    options: Options,
    root: Option<&'a Element>,
    solid: Vec<SolidResource<C>>,
    compress_metadata: Option<Box<CompressMetadata<'a>>>,
}

impl<'a, C> Writer<'a, C> {
    /// An output of these images, with uncompressed metadata.
    pub fn new(images: &'a [OutputImage<'a>], options: Options) -> Writer<'a, C> {
        Writer { images, options, root: None, solid: Vec::new(), compress_metadata: None }
    }

    /// Starts the XML data from the `WIM` element of another file: its attributes and elements are
    /// kept, except `IMAGE` and `TOTALBYTES`.
    #[must_use]
    pub fn with_root(self, root: &'a Element) -> Writer<'a, C> {
        Writer { root: Some(root), ..self }
    }

    /// Takes blobs from solid resources, one for each layer of the input: what several of them
    /// have, from the first; a resource that nothing is used of is left out.
    #[must_use]
    pub fn with_solid(self, solid: Vec<SolidResource<C>>) -> Writer<'a, C> {
        Writer { solid, ..self }
    }

    /// Compresses metadata: `compress` gets a plain resource and answers with chunk table and
    /// chunks of the output's codec and chunk size, as [`compress`](super::compress) makes them.
    /// Not asked if the output has no codec; what does not become smaller is stored as it is.
    #[must_use]
    pub fn with_metadata(
        self,
        compress: impl FnMut(&[u8]) -> Option<Vec<u8>> + 'a,
    ) -> Writer<'a, C> {
        Writer { compress_metadata: Some(Box::new(compress)), ..self }
    }

    /// One file.
    pub fn place(self, resolve: &mut Resolve<'_, C>) -> Result<Placed<C>, Error> {
        let (options, image_count) = (self.options, self.images.len() as u32);
        let Whole { inventory, counts, xml, guid } = self.whole(resolve, &[])?;
        let shared = Shared { options: &options, counts: &counts, guid, xml: &xml, image_count };
        Ok(place(inventory, Part { number: 1, count: 1 }, &shared))
    }

    /// Files of at most `part_bytes` each, to be named by [`part_name`]: one that is whole if
    /// everything fits into it. No part boots.
    pub fn split(
        self,
        part_bytes: u64,
        resolve: &mut Resolve<'_, C>,
    ) -> Result<Vec<Placed<C>>, Error> {
        let (options, images) = (self.options, self.images);
        // Sets that are split differently must not be mixed.
        let salt = part_bytes.to_le_bytes();
        let Whole { inventory, counts, xml, guid } = self.whole(resolve, &salt)?;
        let image_count = images.len() as u32;
        let shared = Shared { options: &options, counts: &counts, guid, xml: &xml, image_count };
        let integrity_bytes = if options.integrity { table_bytes(part_bytes) } else { 0 };
        let behind_bytes = xml.len() as u64 + integrity_bytes;
        let parts = match inventory.xml_offset() + behind_bytes <= part_bytes {
            true => vec![inventory],
            false => {
                let fixed_bytes = HEADER_BYTES as u64 + behind_bytes;
                deal(inventory, &Room { part_bytes, fixed_bytes }, images)?
            }
        };
        let count = u16::try_from(parts.len()).map_err(|_| too_many_parts(parts.len()))?;
        let numbered = parts.into_iter().zip(1..);
        Ok(numbered.map(|(part, number)| place(part, Part { number, count }, &shared)).collect())
    }

    /// Collects everything, and what follows from it whether or not it is split.
    fn whole(mut self, resolve: &mut Resolve<'_, C>, salt: &[u8]) -> Result<Whole<C>, Error> {
        self.options.check(self.images.len(), !self.solid.is_empty())?;
        let mut collector = Collector::new(std::mem::take(&mut self.solid))?;
        for output in self.images {
            collector.add_image(output.image, &self.options, resolve)?;
        }
        let metadata: Vec<Metadata> =
            self.images.iter().map(|output| self.metadata(output)).collect::<Result<_, _>>()?;
        let size_of = |sha1: &Sha1| collector.size_of(sha1);
        let counts: Vec<Counts> =
            self.images.iter().map(|output| Counts::of(output.image, size_of)).collect();
        let inventory = collector.finish(metadata);
        let root = self.root.cloned().unwrap_or_default();
        let xml = xml_data(&root, self.images, &counts, inventory.xml_offset());
        xml.check()?;
        let xml = xml.encode();
        let table = Tables::of(&inventory, 1).table;
        let metadata = inventory.metadata.iter().map(|metadata| metadata.stored.as_slice());
        let guid = guid([table.as_slice()].into_iter().chain(metadata).chain([&xml, salt]));
        Ok(Whole { inventory, counts, xml, guid })
    }

    fn metadata(&mut self, output: &OutputImage<'_>) -> Result<Metadata, Error> {
        let plain = encode_metadata(output.image)?;
        let stored = match &mut self.compress_metadata {
            Some(compress) if self.options.compression != Compression::None => compress(&plain),
            _ => None,
        };
        Ok(Metadata::new(plain, stored))
    }
}

/// An output that has everything but places.
struct Whole<C> {
    inventory: Inventory<C>,
    counts: Vec<Counts>,
    xml: Vec<u8>,
    guid: [u8; 16],
}

fn too_many_parts(count: usize) -> Error {
    let problem = format!("{count} parts, at most {}: use larger parts", u16::MAX);
    Error::Output { problem }
}
