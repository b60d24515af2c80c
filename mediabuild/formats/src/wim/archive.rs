//! `Wim`: an opened file: header, blob table and XML data; images and blobs on demand.

use std::collections::BTreeMap;

use super::blob::{BlobEntry, BlobTable, IMAGE_LIMIT};
use super::chunk_list::ChunkList;
use super::chunks::{Chunks, Coding};
use super::dentry::Image;
use super::error::Error;
use super::hash::Sha1;
use super::header::{Header, ResourceHeader};
use super::metadata_read::decode_metadata;
use super::resource::ResourceReader;
use super::solid::{SolidRun, solid_range};
use super::xml::Xml;
use crate::source::Source;

/// Largest metadata resource that is read: ten times that of the largest images seen.
const METADATA_LIMIT_BYTES: u64 = 1 << 30;

/// An opened WIM. It holds no source: every method that reads takes one, so callers may read from
/// several threads.
#[derive(Debug, Clone)]
pub struct Wim {
    /// The header.
    pub header: Header,
    /// Blobs in table order, also those that name another part of a split set.
    pub blobs: Vec<BlobEntry>,
    /// Metadata resources; position + 1 is the image's index. Empty in later parts of a split set.
    pub images: Vec<BlobEntry>,
    /// Solid resources, which hold the blobs whose entries are solid.
    pub solid: Vec<BlobEntry>,
    /// Which solid resources hold which blobs, in table order.
    pub(super) runs: Vec<SolidRun>,
    /// The XML data.
    pub xml: Xml,
    /// Position in `blobs` by hash; the first entry wins, those of this part before others.
    by_sha1: BTreeMap<Sha1, usize>,
}

impl Wim {
    /// Reads the header, the blob table and the XML data. Images are not looked at.
    pub fn open<S: Source + ?Sized>(source: &S) -> Result<Wim, Error> {
        let header = Header::read(source)?;
        // First, as it tells an encrypted file from a damaged one.
        let xml = Xml::read(source, &header.xml)?;
        check_plain_text(&xml)?;
        let table = BlobTable::read(source, &header)?;
        check_image_count(&header, table.images.len())?;
        let by_sha1 = index(&table.blobs, header.part_number);
        let BlobTable { blobs, images, solid, runs, .. } = table;
        Ok(Wim { header, blobs, images, solid, runs, xml, by_sha1 })
    }

    /// The entry of a blob.
    pub fn blob(&self, sha1: &Sha1) -> Option<&BlobEntry> {
        self.position(sha1).map(|position| &self.blobs[position])
    }

    /// Where in `blobs` a blob is.
    pub(super) fn position(&self, sha1: &Sha1) -> Option<usize> {
        self.by_sha1.get(sha1).copied()
    }

    /// The size of a stream's content: 0 for empty streams, `None` if the blob is unknown.
    pub fn size_of(&self, sha1: &Sha1) -> Option<u64> {
        if sha1.is_empty_stream() { Some(0) } else { self.blob(sha1).map(BlobEntry::size_bytes) }
    }

    /// The chunks of a resource of this file: to read them, and to decode many at once. For solid
    /// resources too, which are those in `solid`.
    pub fn chunks<S: Source + ?Sized>(
        &self,
        source: &S,
        resource: &ResourceHeader,
    ) -> Result<Chunks, Error> {
        Chunks::read(source, resource, self.coding())
    }

    /// How the resources that are not solid are stored.
    pub(super) fn coding(&self) -> Coding {
        Coding {
            codec: self.header.compression(),
            chunk_bytes: self.header.chunk_bytes,
            is_pipable: false,
        }
    }

    /// Reads a resource of this file from its first byte to its last: a whole solid resource, not a
    /// blob in it.
    pub fn reader<S: Source>(
        &self,
        source: S,
        resource: &ResourceHeader,
    ) -> Result<ResourceReader<S>, Error> {
        let chunks = ChunkList::new(vec![self.chunks(&source, resource)?])?;
        let size_bytes = chunks.size_bytes();
        Ok(ResourceReader::new(source, chunks, 0, size_bytes))
    }

    /// Reads a blob or a metadata resource; an error that names the part if another part of a split
    /// set has it. A blob in a solid resource takes the decoding of all chunks that it has bytes in.
    pub fn blob_reader<S: Source>(
        &self,
        source: S,
        entry: &BlobEntry,
    ) -> Result<ResourceReader<S>, Error> {
        if entry.is_solid() {
            let run = self.run_of(entry)?;
            let chunks = self.run_chunks(&source, run)?;
            let (start, end) = solid_range(entry, &chunks)?;
            return Ok(ResourceReader::new(source, chunks, start, end));
        }
        self.check_here(entry)?;
        self.reader(source, &entry.resource)
    }

    /// An error unless this file has the bytes of a resource.
    pub(super) fn check_here(&self, entry: &BlobEntry) -> Result<(), Error> {
        if entry.part_number == self.header.part_number {
            return Ok(());
        }
        Err(Error::OtherPart {
            sha1: entry.sha1,
            part_number: entry.part_number,
            own_part_number: self.header.part_number,
        })
    }

    /// Parses the metadata of an image, counted from 1.
    pub fn image<S: Source + ?Sized>(&self, source: &S, index: usize) -> Result<Image, Error> {
        decode_metadata(&self.metadata(source, index)?)
    }

    /// The uncompressed metadata resource of an image, counted from 1.
    pub fn metadata<S: Source + ?Sized>(&self, source: &S, index: usize) -> Result<Vec<u8>, Error> {
        let position = index.checked_sub(1);
        let entry = position
            .and_then(|position| self.images.get(position))
            .ok_or(Error::NoImage { index, image_count: self.images.len() })?;
        self.reader(source, &entry.resource)?.read_to_vec(METADATA_LIMIT_BYTES)
    }
}

/// The resources of an encrypted ESD are noise without its key.
fn check_plain_text(xml: &Xml) -> Result<(), Error> {
    match xml.root.element("ESD/ENCRYPTED") {
        None => Ok(()),
        Some(_) => Err(Error::unsupported("encrypted ESDs (the XML data says `ENCRYPTED`) are")),
    }
}

/// A later part of a split set counts the images of the set and holds none.
fn check_image_count(header: &Header, found: usize) -> Result<(), Error> {
    if header.image_count as usize > IMAGE_LIMIT {
        return Err(Error::in_file(
            0x2c,
            format!("at most {IMAGE_LIMIT} images, found {}", header.image_count),
        ));
    }
    if header.part_number != 1 || header.image_count as usize == found {
        return Ok(());
    }
    Err(Error::in_file(
        0x2c,
        format!("an image count of {found}, as in the blob table, found {}", header.image_count),
    ))
}

fn index(blobs: &[BlobEntry], own_part: u16) -> BTreeMap<Sha1, usize> {
    let mut by_sha1 = BTreeMap::new();
    let (own, other): (Vec<_>, Vec<_>) =
        blobs.iter().enumerate().partition(|(_, entry)| entry.part_number == own_part);
    for (position, entry) in own.into_iter().chain(other) {
        by_sha1.entry(entry.sha1).or_insert(position);
    }
    by_sha1
}

#[cfg(test)]
mod tests {
    use super::Wim;
    use crate::wim::{Image, ResourceReader};

    #[test]
    fn blobs_can_be_read_by_several_threads() {
        fn is_shareable<T: Send + Sync>() {}
        is_shareable::<(Wim, Image, ResourceReader<&[u8]>)>();
    }
}
