//! `Side`: one of the two things that are compared, opened.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mediabuild_formats::iso::{Disc, DiscFile};
use mediabuild_formats::source::Source;
use mediabuild_formats::volume::FileReader;
use mediabuild_formats::wim::{Sha1, Wim, resource_flag};
use sha1::Digest;

use super::tree::{Item, Place, Tree, of_entries, of_folder, of_image};
use crate::cancel;
use crate::commands::inspect::disk::DiskImage;
use crate::commands::inspect::medium::{AnySource, Medium, entries, open, recognise};
use crate::commands::inspect::whole::{Whole, open_whole};
use crate::failure::Failure;
use crate::progress::Job;

/// Bytes hashed at once.
const PIECE_BYTES: usize = 256 << 10;

pub(super) struct Side {
    pub(super) kind: SideKind,
    pub(super) source: Arc<AnySource>,
}

pub(super) enum SideKind {
    Wim(Wim),
    Disc(Disc),
    Disk(DiskImage),
    Folder(PathBuf),
}

impl Side {
    pub(super) fn open(path: &Path, references: &[PathBuf]) -> Result<Side, Failure> {
        if path.is_dir() {
            let source: AnySource = Box::<Vec<u8>>::default();
            return Ok(Side { kind: SideKind::Folder(path.to_owned()), source: Arc::new(source) });
        }
        let Whole { medium, source, .. } = open_whole(path, references)?;
        Ok(Side::of(medium, source))
    }

    fn of(medium: Medium, source: AnySource) -> Side {
        let kind = match medium {
            Medium::Wim(wim) => SideKind::Wim(wim),
            Medium::Disc(disc) => SideKind::Disc(disc),
            Medium::Disk(disk) => SideKind::Disk(disk),
        };
        Side { kind, source: Arc::new(source) }
    }

    /// How many trees there are: images of a WIM.
    pub(super) fn tree_count(&self) -> usize {
        match &self.kind {
            SideKind::Wim(wim) => wim.images.len(),
            _ => 1,
        }
    }

    pub(super) fn tree(&self, index: usize) -> Result<Tree, Failure> {
        match &self.kind {
            SideKind::Wim(wim) => Ok(of_image(wim, &wim.image(&self.source, index + 1)?)),
            SideKind::Disc(disc) => Ok(of_entries(entries(disc, &self.source)?)),
            SideKind::Disk(disk) => Ok(of_entries(disk.entries(&self.source)?)),
            SideKind::Folder(path) => of_folder(path),
        }
    }

    /// The hash of a file's bytes.
    pub(super) fn sha1_of(&self, item: &Item, job: &Job<'_>) -> Result<Sha1, Failure> {
        match &item.place {
            Place::Image => Ok(item.sha1.unwrap_or_default()),
            Place::Disc(entry) => hash(&mut FileReader::new(&self.source, entry), job),
            Place::Folder(path) => {
                let mut file =
                    std::fs::File::open(path).map_err(|e| Failure::io("open", path, &e))?;
                hash(&mut file, job)
            }
        }
    }

    /// A file of a tree, opened as what it is; `None` unless it is a WIM or a disc that can be read
    /// where it lies.
    pub(super) fn inner(&self, tree: &Tree, path: &str) -> Option<Side> {
        let item = tree.get(path)?;
        let source: AnySource = match &item.place {
            Place::Disc(entry) => Box::new(DiscFile::new(Arc::clone(&self.source), entry)),
            Place::Folder(path) => return Side::in_folder(path),
            Place::Image => Box::new(self.stored(item)?),
        };
        let mut magic = [0; 5];
        source.read_exact_at(0, &mut magic).ok()?;
        let is_wim = magic == *b"MSWIM" || magic == *b"WLPWM";
        let is_disc = || path.to_lowercase().ends_with(".iso");
        let medium = (is_wim || is_disc()).then(|| recognise(&source, path).ok()).flatten()?;
        match &medium {
            // The other parts of its set differ elsewhere.
            Medium::Wim(wim) if wim.header.part_count > 1 => None,
            _ => Some(Side::of(medium, source)),
        }
    }

    /// A WIM or disc in a folder, with the other parts of its set.
    fn in_folder(path: &Path) -> Option<Side> {
        let (medium, _) = open(path).ok()?;
        let is_later = matches!(&medium, Medium::Wim(wim) if wim.header.part_number > 1);
        let Whole { medium, source, .. } = open_whole(path, &[]).ok().filter(|_| !is_later)?;
        Some(Side::of(medium, source))
    }

    /// The bytes of a file of an image, if they are stored as they are.
    fn stored(&self, item: &Item) -> Option<Stored> {
        let SideKind::Wim(wim) = &self.kind else { return None };
        let resource = wim.blob(&item.sha1?)?.resource;
        let is_plain = !resource.has(resource_flag::COMPRESSED | resource_flag::SOLID);
        let (offset_bytes, size_bytes) = (resource.offset_bytes, resource.size_bytes);
        is_plain.then(|| Stored { outer: Arc::clone(&self.source), offset_bytes, size_bytes })
    }
}

fn hash(reader: &mut dyn Read, job: &Job<'_>) -> Result<Sha1, Failure> {
    let mut hasher = sha1::Sha1::new();
    let mut buffer = vec![0; PIECE_BYTES];
    loop {
        cancel::check()?;
        let count = reader
            .read(&mut buffer)
            .map_err(|error| Failure::build(format!("cannot read it: {error}")))?;
        if count == 0 {
            return Ok(Sha1(hasher.finalize().into()));
        }
        hasher.update(&buffer[..count]);
        job.advance(count as u64);
    }
}

/// A part of a source.
struct Stored {
    outer: Arc<AnySource>,
    offset_bytes: u64,
    size_bytes: u64,
}

impl Source for Stored {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn read_exact_at(&self, offset_bytes: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = offset_bytes.checked_add(buffer.len() as u64);
        if end.is_none_or(|end| end > self.size_bytes) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.outer.read_exact_at(self.offset_bytes + offset_bytes, buffer)
    }
}
