//! The disc writer: one function, [`Image::emit`], is both layout and bytes.
//!
//! It runs twice. The first run appends to a sink that only counts and notes where things come to
//! lie; the second appends to the caller's, with every address known. Sizes never depend on
//! addresses, so both runs agree.

use std::ops::Range;

use super::el_torito::{self, CatalogEntry};
use super::error::WriteError;
use super::iso9660;
use super::iso9660::mirror::{Mirror, MirrorKind};
use super::iso9660::write::IsoRoot;
use super::options::Options;
use super::out::{Measure, Out};
use super::places::Places;
use super::plan::{Plan, PlannedDirectory, PlannedFile};
use super::time::Time;
use super::tree::Tree;
use super::udf::file::{self, FileEntry, FileIdentifier};
use super::udf::text::dstring_fits;
use super::udf::volume::{
    self, ANCHOR_SECTOR, INTEGRITY_SECTOR, MAIN_SEQUENCE_SECTOR, PARTITION_SECTOR, PartitionCounts,
    RESERVE_SEQUENCE_SECTOR, Volume,
};
use crate::layout::Sink;
use crate::volume::Node;

/// Contents of this size and more lie at multiples of [`ALIGNMENT_BYTES`], so that a file system
/// may share their blocks with the store's instead of copying them.
const ALIGNED_FROM_BYTES: u64 = 1 << 20;
const ALIGNMENT_BYTES: u64 = 4096;
/// Sector numbers have 32 bits.
const DISC_MAX_BYTES: u64 = super::SECTOR_SIZE_BYTES * u32::MAX as u64;
/// EDK2 (all free UEFI firmware) takes a UDF volume for a disc of its own that begins where the main
/// sequence lies, looks for an anchor at sector 256 of that, and gives up on what ends before. So the
/// smallest discs get up to 36 KiB of zeros, still in the partition.
const LAST_SECTOR_MIN: u32 = MAIN_SEQUENCE_SECTOR + ANCHOR_SECTOR;
/// The first unique id that is not the root's (OSTA UDF 1.02, 3.2.1.1).
const FIRST_UNIQUE_ID: u64 = 16;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The disc's size.
    pub size_bytes: u64,
    /// How many files the tree has.
    pub file_count: u64,
    /// How many directories the tree has, the root included.
    pub directory_count: u64,
    /// How many files share the data of an earlier one or of a boot image.
    pub shared_file_count: u64,
    /// How many bytes that saved.
    pub shared_size_bytes: u64,
}

/// Writes `tree` as a disc. Equal contents are stored once.
pub fn write<C: Clone + Ord, S: Sink<C>>(
    tree: &Tree<C>,
    options: &Options<C>,
    sink: &mut S,
) -> Result<Written, WriteError> {
    let image = Image::of(tree, options)?;
    let mut places = image.measured()?;
    let size_bytes = places.size_bytes;
    image.emit(&mut places, &mut Out::new(sink));
    assert_eq!(places.size_bytes, size_bytes, "a layout does not depend on addresses");

    let Plan { files, directories, shared_file_count, shared_size_bytes, .. } = image.plan;
    Ok(Written {
        size_bytes,
        file_count: files.len() as u64,
        directory_count: directories.len() as u64,
        shared_file_count,
        shared_size_bytes,
    })
}

/// The size [`write()`] would give, by the same code: only the bytes go nowhere.
pub fn measure<C: Clone + Ord>(tree: &Tree<C>, options: &Options<C>) -> Result<u64, WriteError> {
    Ok(Image::of(tree, options)?.measured()?.size_bytes)
}

fn volume_of<C>(options: &Options<C>, time: Time) -> Result<Volume, WriteError> {
    const LABEL_FIELD_BYTES: usize = 128;
    let label = options.label.clone();
    if !dstring_fits(&label, LABEL_FIELD_BYTES) || label.contains('\0') {
        return Err(WriteError::Label { label });
    }
    let volume_set_id = options.volume_set_id.map(|byte| format!("{byte:02X}")).concat();
    Ok(Volume { label, volume_set_id, time: time.udf() })
}

struct Image<'a, C> {
    plan: Plan<'a, C>,
    /// ISO 9660's tree and Joliet's, or none.
    mirrors: Vec<Mirror>,
    volume: Volume,
    time: Time,
}

impl<'a, C: Clone + Ord> Image<'a, C> {
    fn of(tree: &'a Tree<C>, options: &'a Options<C>) -> Result<Self, WriteError> {
        let plan = Plan::of(tree, options)?;
        let time = Time::of(options.epoch_seconds)?;
        let kinds = [MirrorKind::Iso9660, MirrorKind::Joliet].into_iter();
        let kinds = kinds.filter(|_| options.is_mirrored);
        let mirrors = kinds.map(|kind| Mirror::of(&plan, kind)).collect::<Result<_, _>>()?;
        Ok(Image { plan, mirrors, volume: volume_of(options, time)?, time })
    }
}

impl<C: Clone> Image<'_, C> {
    /// Where everything comes to lie.
    fn measured(&self) -> Result<Places, WriteError> {
        let mut places = Places::unknown(&self.plan, self.mirrors.len());
        self.emit(&mut places, &mut Out::new(&mut Measure::default()));
        let (size_bytes, limit_bytes) = (places.size_bytes, DISC_MAX_BYTES);
        if size_bytes > limit_bytes {
            return Err(WriteError::DiscTooLarge { size_bytes, limit_bytes });
        }
        Ok(places)
    }

    /// The disc from its first byte to its last.
    fn emit<S: Sink<C>>(&self, places: &mut Places, out: &mut Out<'_, C, S>) {
        self.volume_descriptors(places, out);
        self.boot_catalog(places, out);
        self.volume_structures(places, out);
        if self.mirrors.is_empty() {
            self.readme_tree(out);
        }
        out.zeros_to(ANCHOR_SECTOR);
        out.block(&volume::anchor(ANCHOR_SECTOR));
        self.file_set(places, out);
        for at in 0..self.mirrors.len() {
            self.mirror(at, places, out);
        }
        let unshared = self.plan.unshared_count;
        // What no file of the tree refers to may not come last: 7-Zip takes nonzero bytes behind
        // the last file for damage.
        self.contents(0..unshared, places, out);
        self.directories(places, out);
        self.file_entries(places, out);
        self.contents(unshared..self.plan.contents.len(), places, out);
        if out.sector() < LAST_SECTOR_MIN {
            out.zeros_to(LAST_SECTOR_MIN);
        }
        places.last_sector = out.sector();
        out.block(&volume::anchor(places.last_sector));
        places.size_bytes = out.position_bytes();
    }

    /// ISO 9660's volume descriptors, behind them UDF's recognition sequence.
    fn volume_descriptors<S: Sink<C>>(&self, places: &Places, out: &mut Out<'_, C, S>) {
        let size_sectors = places.last_sector.saturating_add(1);
        let Volume { label, volume_set_id, .. } = &self.volume;
        let readme = IsoRoot::of_readme(label, volume_set_id, size_sectors, self.time);
        let roots = self.mirrors.iter().zip(&places.mirrors);
        let mut roots = roots.map(|(mirror, places)| IsoRoot {
            root: (places.directories[0], mirror.directory_size_bytes(0)),
            tables: (places.little_table, places.big_table, mirror.table_size_bytes()),
            ..readme
        });
        out.zeros_to(16);
        out.block(&iso9660::write::primary(roots.next().unwrap_or(readme)));
        if self.is_bootable() {
            debug_assert_eq!(out.sector(), el_torito::BOOT_RECORD_SECTOR);
            out.block(&el_torito::boot_record(self.catalog_sector()));
        }
        if let Some(joliet) = roots.next() {
            out.block(&iso9660::write::joliet(joliet));
        }
        out.block(&iso9660::write::descriptor_head(iso9660::TYPE_TERMINATOR));
        for identifier in [b"BEA01", b"NSR02", b"TEA01"] {
            out.block(&volume::recognition(identifier));
        }
    }

    fn boot_catalog<S: Sink<C>>(&self, places: &Places, out: &mut Out<'_, C, S>) {
        let sector = |content: usize| PARTITION_SECTOR.saturating_add(places.contents[content]);
        let bios = self.plan.bios.map(|image| CatalogEntry {
            platform: el_torito::PLATFORM_BIOS,
            sector_count: u16::try_from(image.size_bytes.div_ceil(512)).expect("checked"),
            sector: sector(image.content),
        });
        // As on Microsoft's media: a count of 1 tells UEFI that the image reaches to the disc's
        // end (UEFI 13.3.2.1), so its size has no 32 MiB limit.
        let uefi = self.plan.uefi.map(|image| CatalogEntry {
            platform: el_torito::PLATFORM_UEFI,
            sector_count: 1,
            sector: sector(image.content),
        });
        let entries: Vec<CatalogEntry> = bios.into_iter().chain(uefi).collect();
        if self.is_bootable() {
            out.zeros_to(self.catalog_sector());
            out.block(&el_torito::encode(&entries));
        }
    }

    /// Both volume descriptor sequences and the integrity sequence.
    fn volume_structures<S: Sink<C>>(&self, places: &Places, out: &mut Out<'_, C, S>) {
        let counts = self.counts(places);
        for sector in [MAIN_SEQUENCE_SECTOR, RESERVE_SEQUENCE_SECTOR] {
            out.zeros_to(sector);
            for descriptor in volume::sequence(&self.volume, counts.size_blocks, sector) {
                out.block(&descriptor);
            }
        }
        out.zeros_to(INTEGRITY_SECTOR);
        out.block(&volume::integrity(&self.volume, counts));
        out.block(&volume::terminating(INTEGRITY_SECTOR + 1));
    }

    /// The path tables and directories of ISO 9660's or Joliet's tree.
    fn mirror<S: Sink<C>>(&self, at: usize, places: &mut Places, out: &mut Out<'_, C, S>) {
        let mirror = &self.mirrors[at];
        places.mirrors[at].little_table = out.sector();
        out.block(&mirror.table(&self.plan, &places.mirrors[at], false));
        places.mirrors[at].big_table = out.sector();
        out.block(&mirror.table(&self.plan, &places.mirrors[at], true));
        for &position in mirror.order() {
            places.mirrors[at].directories[position] = out.sector();
            let contents = &places.contents;
            // An empty file has no content, and so no place.
            let sector_of = |file: PlannedFile| match file.size_bytes {
                0 => 0,
                _ => PARTITION_SECTOR.saturating_add(contents[file.content]),
            };
            let places = &places.mirrors[at];
            out.block(&mirror.records(&self.plan, position, places, sector_of, self.time));
        }
    }

    fn catalog_sector(&self) -> u32 {
        match self.mirrors.len() {
            0 => el_torito::CATALOG_SECTOR,
            _ => el_torito::CATALOG_SECTOR_WITH_JOLIET,
        }
    }

    fn readme_tree<S: Sink<C>>(&self, out: &mut Out<'_, C, S>) {
        out.zeros_to(iso9660::write::ROOT_SECTOR);
        out.block(&iso9660::write::root_directory(self.time));
        out.block(&iso9660::write::path_table(false));
        out.block(&iso9660::write::path_table(true));
        out.block(iso9660::write::README);
    }

    fn file_set<S: Sink<C>>(&self, places: &Places, out: &mut Out<'_, C, S>) {
        out.block(&file::file_set(&self.volume, places.directories[0]));
        out.block(&volume::terminating(1));
    }

    /// Per directory its file entry and the identifiers of what it holds.
    fn directories<S: Sink<C>>(&self, places: &mut Places, out: &mut Out<'_, C, S>) {
        for (position, planned) in self.plan.directories.iter().enumerate() {
            let block = block(out);
            places.directories[position] = block;
            out.block(&self.directory_entry(position, planned, block).encode(block));
            let start = out.position_bytes();
            let mut append = |identifier: FileIdentifier<'_>| {
                let offset_blocks = (out.position_bytes() - start) / super::SECTOR_SIZE_BYTES;
                let offset_blocks = u32::try_from(offset_blocks).unwrap_or(u32::MAX);
                out.literal(
                    &identifier.encode(block.saturating_add(1).saturating_add(offset_blocks)),
                );
            };
            append(FileIdentifier {
                name: None,
                is_directory: true,
                entry_block: places.directories[planned.parent],
            });
            for identifier in identifiers(planned, places) {
                append(identifier);
            }
            out.zeros_to_sector();
        }
    }

    fn directory_entry(
        &self,
        position: usize,
        planned: &PlannedDirectory<'_, C>,
        block: u32,
    ) -> FileEntry {
        let names = planned.directory.entries().map(|(name, _)| Some(name));
        let size_bytes = names.chain([None]).map(FileIdentifier::size_bytes).sum();
        let nodes = planned.directory.entries();
        let children = nodes.filter(|(_, node)| matches!(node, Node::Directory(_))).count();
        FileEntry {
            is_directory: true,
            link_count: u16::try_from(1 + children).unwrap_or(u16::MAX),
            size_bytes,
            data_block: block.saturating_add(1),
            unique_id: self.unique_id(position),
            time: self.volume.time,
        }
    }

    fn file_entries<S: Sink<C>>(&self, places: &mut Places, out: &mut Out<'_, C, S>) {
        places.first_file = block(out);
        for (position, planned) in self.plan.files.iter().enumerate() {
            let data_block = places.contents.get(planned.content).copied().unwrap_or(0);
            let entry = FileEntry {
                is_directory: false,
                link_count: 1,
                size_bytes: planned.size_bytes,
                data_block,
                unique_id: self.unique_id(self.plan.directories.len() + position),
                time: self.volume.time,
            };
            out.block(&entry.encode(block(out)));
        }
    }

    fn contents<S: Sink<C>>(
        &self,
        positions: Range<usize>,
        places: &mut Places,
        out: &mut Out<'_, C, S>,
    ) {
        for position in positions {
            let planned = &self.plan.contents[position];
            if planned.size_bytes >= ALIGNED_FROM_BYTES {
                out.zeros_to_multiple(ALIGNMENT_BYTES);
            }
            places.contents[position] = block(out);
            out.content(planned.content, planned.size_bytes);
            out.zeros_to_sector();
        }
    }

    fn counts(&self, places: &Places) -> PartitionCounts {
        let (files, directories) = (self.plan.files.len(), self.plan.directories.len());
        PartitionCounts {
            size_blocks: places.last_sector.saturating_sub(PARTITION_SECTOR),
            files: u32::try_from(files).unwrap_or(u32::MAX),
            directories: u32::try_from(directories).unwrap_or(u32::MAX),
            next_unique_id: FIRST_UNIQUE_ID - 1 + (directories + files) as u64,
        }
    }

    /// The unique id of the directory at `position`; files count on behind the directories.
    fn unique_id(&self, position: usize) -> u64 {
        match position {
            0 => 0,
            _ => FIRST_UNIQUE_ID - 1 + position as u64,
        }
    }

    fn is_bootable(&self) -> bool {
        self.plan.bios.is_some() || self.plan.uefi.is_some()
    }
}

/// The identifiers of what a directory holds, the parent's left out.
fn identifiers<'a, C>(
    planned: &PlannedDirectory<'a, C>,
    places: &Places,
) -> impl Iterator<Item = FileIdentifier<'a>> {
    let (mut child, mut file) = (planned.first_child, planned.first_file);
    planned.directory.entries().map(move |(name, node)| {
        let is_directory = matches!(node, Node::Directory(_));
        let entry_block = if is_directory {
            child += 1;
            places.directories[child - 1]
        } else {
            file += 1;
            places.first_file.saturating_add(u32::try_from(file - 1).unwrap_or(u32::MAX))
        };
        FileIdentifier { name: Some(name), is_directory, entry_block }
    })
}

/// The block of the partition that comes next.
fn block<C, S: Sink<C>>(out: &Out<'_, C, S>) -> u32 {
    out.sector().saturating_sub(PARTITION_SECTOR)
}
