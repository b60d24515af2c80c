//! `Inventory`: everything an output holds, before anything has a place.

use std::collections::BTreeMap;

use super::options::Options;
use super::solid::{SolidBlob, SolidResource};
use super::{Resolve, Resource};
use crate::wim::blob::ENTRY_BYTES;
use crate::wim::dentry::Image;
use crate::wim::error::Error;
use crate::wim::hash::Sha1;
use crate::wim::header::{Compression, HEADER_BYTES, resource_flag};

/// A blob with a resource of its own.
pub(super) struct Single<C> {
    pub(super) content: C,
    pub(super) stored_bytes: u64,
    pub(super) size_bytes: u64,
    pub(super) flags: u8,
    pub(super) sha1: Sha1,
    pub(super) reference_count: u32,
}

/// A solid resource and those of its blobs that are used.
pub(super) struct Solid<C> {
    pub(super) resource: SolidResource<C>,
    /// How often each of its blobs is used.
    pub(super) reference_counts: Vec<u32>,
}

/// The metadata resource of an image.
pub(super) struct Metadata {
    pub(super) stored: Vec<u8>,
    pub(super) flags: u8,
    pub(super) size_bytes: u64,
    pub(super) sha1: Sha1,
}

/// What is in one file: a whole output, or a part of a split set.
pub(super) struct Inventory<C> {
    pub(super) singles: Vec<Single<C>>,
    pub(super) solid: Vec<Solid<C>>,
    pub(super) metadata: Vec<Metadata>,
}

impl<C> Inventory<C> {
    pub(super) fn new() -> Inventory<C> {
        Inventory { singles: Vec::new(), solid: Vec::new(), metadata: Vec::new() }
    }

    /// Where the blob table ends and the XML data starts.
    pub(super) fn xml_offset(&self) -> u64 {
        let singles = self.singles.iter().map(Single::cost_bytes);
        let solid = self.solid.iter().map(Solid::cost_bytes);
        let metadata = self.metadata.iter().map(Metadata::cost_bytes);
        HEADER_BYTES as u64 + singles.chain(solid).chain(metadata).sum::<u64>()
    }
}

/// Bytes of so many entries of the blob table.
fn entries_bytes(count: usize) -> u64 {
    (count * ENTRY_BYTES) as u64
}

impl<C> Single<C> {
    /// What it takes of a file, its table entry included.
    pub(super) fn cost_bytes(&self) -> u64 {
        self.stored_bytes + entries_bytes(1)
    }
}

impl<C> Solid<C> {
    /// What it takes of a file, its table entries included.
    pub(super) fn cost_bytes(&self) -> u64 {
        self.resource.stored_bytes + entries_bytes(1 + self.used().count())
    }

    /// The blobs that are used, and how often.
    pub(super) fn used(&self) -> impl Iterator<Item = (&SolidBlob, u32)> {
        let counted = self.resource.blobs.iter().zip(self.reference_counts.iter().copied());
        counted.filter(|(_, count)| *count > 0)
    }
}

impl Metadata {
    /// As it is, or compressed if `stored` has fewer bytes.
    pub(super) fn new(plain: Vec<u8>, stored: Option<Vec<u8>>) -> Metadata {
        let (sha1, size_bytes) = (Sha1::of(&plain), plain.len() as u64);
        match stored.filter(|stored| !stored.is_empty() && stored.len() < plain.len()) {
            Some(stored) => {
                let flags = resource_flag::METADATA | resource_flag::COMPRESSED;
                Metadata { stored, flags, size_bytes, sha1 }
            }
            None => Metadata { stored: plain, flags: resource_flag::METADATA, size_bytes, sha1 },
        }
    }

    /// What it takes of a file, its table entry included.
    pub(super) fn cost_bytes(&self) -> u64 {
        self.stored.len() as u64 + entries_bytes(1)
    }
}

/// Where a blob is.
#[derive(Clone, Copy)]
enum Place {
    Single(usize),
    Solid {
        resource: usize,
        blob: usize,
    },
    /// In the file that the output adds to.
    Base,
}

/// Collects the blobs of images, each once.
pub(super) struct Collector<C> {
    inventory: Inventory<C>,
    /// Place and size of each blob.
    by_sha1: BTreeMap<Sha1, (Place, u64)>,
}

impl<C> Collector<C> {
    /// Blobs that several solid resources have are those of the first.
    pub(super) fn new(solid: Vec<SolidResource<C>>) -> Result<Collector<C>, Error> {
        let mut by_sha1 = BTreeMap::new();
        for (resource, at) in solid.iter().zip(0..) {
            resource.check()?;
            for (blob, position) in resource.blobs.iter().zip(0..) {
                let place = Place::Solid { resource: at, blob: position };
                by_sha1.entry(blob.sha1).or_insert((place, blob.size_bytes));
            }
        }
        let counted = |resource: SolidResource<C>| {
            let reference_counts = vec![0; resource.blobs.len()];
            Solid { resource, reference_counts }
        };
        let solid = solid.into_iter().map(counted).collect();
        Ok(Collector { inventory: Inventory { solid, ..Inventory::new() }, by_sha1 })
    }

    /// Counts the blobs of an image, and takes in those that are new.
    pub(super) fn add_image(
        &mut self,
        image: &Image,
        options: &Options,
        resolve: &mut Resolve<'_, C>,
    ) -> Result<(), Error> {
        let mut walk = image.walk();
        while let Some((path, dentry)) = walk.next_in_place() {
            for sha1 in dentry.blobs() {
                if !self.by_sha1.contains_key(&sha1) {
                    let Some(resource) = resolve(&sha1) else {
                        return Err(Error::MissingBlob { path: path.to_owned(), sha1 });
                    };
                    let place = self.add_blob(sha1, resource, options)?;
                    self.by_sha1.insert(sha1, place);
                }
                self.count(&sha1);
            }
        }
        Ok(())
    }

    fn count(&mut self, sha1: &Sha1) {
        let count = match self.by_sha1.get(sha1) {
            Some(&(Place::Single(at), _)) => &mut self.inventory.singles[at].reference_count,
            Some(&(Place::Solid { resource, blob }, _)) => {
                &mut self.inventory.solid[resource].reference_counts[blob]
            }
            Some((Place::Base, _)) | None => return,
        };
        *count = count.saturating_add(1);
    }

    fn add_blob(
        &mut self,
        sha1: Sha1,
        resource: Resource<C>,
        options: &Options,
    ) -> Result<(Place, u64), Error> {
        let (content, stored_bytes, size_bytes, flags) = match resource {
            Resource::InBase { size_bytes } => return Ok((Place::Base, size_bytes)),
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
        let singles = &mut self.inventory.singles;
        singles.push(Single { content, stored_bytes, size_bytes, flags, sha1, reference_count: 0 });
        Ok((Place::Single(singles.len() - 1), size_bytes))
    }

    pub(super) fn size_of(&self, sha1: &Sha1) -> Option<u64> {
        self.by_sha1.get(sha1).map(|&(_, size_bytes)| size_bytes)
    }

    /// Everything, without the solid resources that nothing is used of.
    pub(super) fn finish(mut self, metadata: Vec<Metadata>) -> Inventory<C> {
        self.inventory.solid.retain(|solid| solid.used().next().is_some());
        Inventory { metadata, ..self.inventory }
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
