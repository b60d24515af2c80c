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
    /// Position in `blobs` by hash; the first entry wins, those of files that are here before others.
    by_sha1: BTreeMap<Sha1, usize>,
    /// The files that it is, in the order they lie in its source.
    pub(super) members: Vec<Member>,
}

/// One file.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// Where it begins in the source.
    pub(super) start: u64,
    pub(super) size_bytes: u64,
    pub(super) is_pipable: bool,
    /// Its header, with offsets in the source.
    pub(super) header: Header,
}

impl Wim {
    /// Reads the header, the blob table and the XML data. Images are not looked at.
    pub fn open<S: Source + ?Sized>(source: &S) -> Result<Wim, Error> {
        let (header, is_pipable) = Header::read(source)?;
        // First, as it tells an encrypted file from a damaged one.
        let xml = Xml::read(source, &header.xml)?;
        check_plain_text(&xml)?;
        let table = BlobTable::read(source, &header)?;
        check_image_count(&header, table.images.len())?;
        let BlobTable { blobs, images, solid, runs, .. } = table;
        let size_bytes = source.size_bytes();
        let members = vec![Member { start: 0, size_bytes, is_pipable, header: header.clone() }];
        let by_sha1 = BTreeMap::new();
        let mut wim = Wim { header, blobs, images, solid, runs, xml, by_sha1, members };
        wim.index();
        Ok(wim)
    }

    /// Finds the blobs by their hashes from now on.
    pub(super) fn index(&mut self) {
        self.by_sha1.clear();
        for is_here in [true, false] {
            for (position, entry) in self.blobs.iter().enumerate() {
                if self.is_here(entry.part_number) == is_here {
                    self.by_sha1.entry(entry.sha1).or_insert(position);
                }
            }
        }
    }

    /// Whether a part of the set is among the files.
    pub(super) fn is_here(&self, part_number: u16) -> bool {
        self.members.iter().any(|member| member.header.part_number == part_number)
    }

    /// Whether the file was written to be read from a pipe, which only wimlib does.
    pub fn is_pipable(&self) -> bool {
        self.members.iter().any(|member| member.is_pipable)
    }

    /// The file that has an offset.
    pub(super) fn member_at(&self, offset_bytes: u64) -> usize {
        self.members.partition_point(|member| member.start <= offset_bytes).max(1) - 1
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
        Chunks::read(source, resource, self.coding(resource))
    }

    /// How a resource that is not solid is stored.
    pub(super) fn coding(&self, resource: &ResourceHeader) -> Coding {
        let member = &self.members[self.member_at(resource.offset_bytes)];
        Coding {
            codec: member.header.compression(),
            chunk_bytes: member.header.chunk_bytes,
            is_pipable: member.is_pipable,
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

    /// An error unless the bytes of a resource are here.
    pub(super) fn check_here(&self, entry: &BlobEntry) -> Result<(), Error> {
        if self.is_here(entry.part_number) {
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
