//! The FAT writer: places are known before the first byte, then the volume is appended once.

use super::boot_sector::{self, BACKUP_SECTOR, FS_INFO_SECTOR};
use super::directory::{
    ATTRIBUTE_ARCHIVE, ATTRIBUTE_DIRECTORY, ATTRIBUTE_LABEL, encode, encode_long,
};
use super::error::WriteError;
use super::geometry::{Geometry, Variant};
use super::label::{self, Label};
use super::options::Options;
use super::plan::{Places, Plan, Run};
use super::short_name::ShortName;
use super::table::{self, TableSink};
use super::time::Time;
use super::tree::Tree;
use crate::layout::Sink;
use crate::volume::Node;

const DOT: &ShortName = b".          ";
const DOT_DOT: &ShortName = b"..         ";
/// [`smallest_size_bytes`] gives whole mebibytes, as partitions are aligned to.
const STEP_BYTES: u64 = 1 << 20;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The volume's size.
    pub size_bytes: u64,
    /// How many files the tree has.
    pub file_count: u64,
    /// How many directories the tree has, the root included.
    pub directory_count: u64,
    /// Bytes of clusters that nothing uses.
    pub free_bytes: u64,
}

/// Writes `tree` as a volume of exactly `options.size_bytes`.
pub fn write<C, S: Sink<C>>(
    tree: &Tree<C>,
    options: &Options,
    sink: &mut S,
) -> Result<Written, WriteError> {
    let geometry = Geometry::of(options.variant, options.size_bytes)?;
    let label = label::parse(&options.label)?;
    let plan = Plan::of(tree, label.is_some(), &options.order)?;
    let places = Places::of(&plan, geometry.cluster_bytes(), geometry.root_entry_count > 0);
    check_room(&plan, &places, &geometry)?;
    let time = Time::of(options.epoch_seconds)?;
    let image = Image { geometry, plan, places, time, label, options };
    image.emit(&mut Out { start_bytes: sink.position_bytes(), sink, contents: Default::default() });
    Ok(Written {
        size_bytes: options.size_bytes,
        file_count: image.plan.files.len() as u64,
        directory_count: image.plan.directories.len() as u64,
        free_bytes: image.free_count() * geometry.cluster_bytes(),
    })
}

/// The smallest volume of a variant that holds `tree`, in whole mebibytes.
pub fn smallest_size_bytes<C>(
    tree: &Tree<C>,
    variant: Variant,
    has_label: bool,
) -> Result<u64, WriteError> {
    let plan = Plan::of(tree, has_label, &[])?;
    let mut refused = None;
    for (sizes_bytes, cluster_bytes) in Geometry::steps(variant) {
        let places = Places::of(&plan, cluster_bytes, variant != Variant::Fat32);
        let needed_bytes = places.cluster_count.saturating_mul(cluster_bytes);
        let mut size_bytes = needed_bytes.max(*sizes_bytes.start()).next_multiple_of(STEP_BYTES);
        // The FATs come on top: less than a hundredth, so these are few tries.
        while sizes_bytes.contains(&size_bytes) {
            match room(&plan, variant, size_bytes) {
                Ok(()) => return Ok(size_bytes),
                Err(error) => refused = Some(error),
            }
            size_bytes += STEP_BYTES.max(needed_bytes / 4096).next_multiple_of(STEP_BYTES);
        }
    }
    Err(refused.unwrap_or_else(|| Geometry::too_large(variant, u64::MAX)))
}

/// Whether a volume of that size holds everything.
fn room<C>(plan: &Plan<'_, C>, variant: Variant, size_bytes: u64) -> Result<(), WriteError> {
    let geometry = Geometry::of(variant, size_bytes)?;
    let places = Places::of(plan, geometry.cluster_bytes(), geometry.root_entry_count > 0);
    check_room(plan, &places, &geometry)
}

fn check_room<C>(
    plan: &Plan<'_, C>,
    places: &Places,
    geometry: &Geometry,
) -> Result<(), WriteError> {
    let full = |needed_bytes, room_bytes| Err(WriteError::VolumeFull { needed_bytes, room_bytes });
    let root_bytes = plan.directories[0].size_bytes;
    let root_room_bytes = geometry.root_entry_count * super::geometry::ENTRY_SIZE_BYTES;
    if geometry.root_entry_count > 0 && root_bytes > root_room_bytes {
        return full(root_bytes, root_room_bytes);
    }
    if places.cluster_count > geometry.cluster_count {
        let cluster_bytes = geometry.cluster_bytes();
        return full(places.cluster_count * cluster_bytes, geometry.cluster_count * cluster_bytes);
    }
    Ok(())
}

struct Image<'a, C> {
    geometry: Geometry,
    plan: Plan<'a, C>,
    places: Places,
    time: Time,
    label: Option<Label>,
    options: &'a Options,
}

impl<C> Image<'_, C> {
    /// The volume from its first byte to its last.
    fn emit<S: Sink<C>>(&self, out: &mut Out<'_, C, S>) {
        self.reserved(out);
        for fat in 0..self.geometry.fat_count {
            out.zeros_to(self.geometry.fat_offset_bytes(fat));
            let fat_bytes = self.geometry.fat_sectors * self.geometry.sector_bytes;
            let media = boot_sector::media(&self.geometry);
            table::emit(self.geometry.variant, media, fat_bytes, self.runs(), out);
        }
        if self.geometry.root_entry_count > 0 {
            out.zeros_to(self.geometry.root_offset_bytes());
            out.sink.literal(&self.directory(0));
        }
        for (position, run) in self.places.directories.iter().enumerate() {
            if run.count > 0 {
                out.zeros_to(self.geometry.cluster_offset_bytes(run.first));
                out.sink.literal(&self.directory(position));
            }
        }
        for &position in &self.plan.data_order {
            let (file, run) = (&self.plan.files[position], self.places.files[position]);
            if run.count > 0 {
                out.zeros_to(self.geometry.cluster_offset_bytes(run.first));
                out.sink.content(file.content, file.size_bytes);
            }
        }
        out.zeros_to(self.options.size_bytes);
    }

    /// Boot sector and FSInfo, with their copies.
    fn reserved<S: Sink<C>>(&self, out: &mut Out<'_, C, S>) {
        let (label, options) = (self.label.as_ref(), self.options);
        let boot = boot_sector::encode(&self.geometry, options.start_bytes, label, options.serial);
        out.sink.literal(&boot);
        if self.geometry.variant != Variant::Fat32 {
            return;
        }
        let next_free = u32::try_from(self.places.cluster_count + 2).unwrap_or(u32::MAX);
        let next_free = if self.free_count() > 0 { next_free } else { u32::MAX };
        let free_count = u32::try_from(self.free_count()).unwrap_or(u32::MAX);
        let fs_info = boot_sector::encode_fs_info(free_count, next_free);
        out.zeros_to(u64::from(FS_INFO_SECTOR) * self.geometry.sector_bytes);
        out.sink.literal(&fs_info);
        out.zeros_to(u64::from(BACKUP_SECTOR) * self.geometry.sector_bytes);
        out.sink.literal(&boot);
        out.sink.literal(&fs_info);
    }

    /// All chains in the order of their clusters.
    fn runs(&self) -> impl Iterator<Item = Run> {
        let files = self.plan.data_order.iter().map(|&position| self.places.files[position]);
        self.places.directories.iter().copied().chain(files).filter(|run| run.count > 0)
    }

    /// The entries of the directory at `position`.
    fn directory(&self, position: usize) -> Vec<u8> {
        let planned = &self.plan.directories[position];
        let mut bytes = Vec::with_capacity(planned.size_bytes as usize);
        let time = self.time;
        match (position, &self.label) {
            (0, None) => {}
            (0, Some(label)) => bytes.extend(encode(label, ATTRIBUTE_LABEL, time, 0, 0)),
            _ => {
                let own = self.places.directories[position].first;
                bytes.extend(encode(DOT, ATTRIBUTE_DIRECTORY, time, own, 0));
                // The root is called 0, whatever its cluster.
                let parent = match planned.parent {
                    0 => 0,
                    parent => self.places.directories[parent].first,
                };
                bytes.extend(encode(DOT_DOT, ATTRIBUTE_DIRECTORY, time, parent, 0));
            }
        }
        let (mut child, mut file) = (planned.first_child, planned.first_file);
        for ((name, node), short) in planned.directory.entries().zip(&planned.shorts) {
            if short.needs_long {
                bytes.extend(encode_long(name, &short.name));
            }
            bytes.extend(match node {
                Node::Directory(_) => {
                    child += 1;
                    let cluster = self.places.directories[child - 1].first;
                    encode(&short.name, ATTRIBUTE_DIRECTORY, time, cluster, 0)
                }
                Node::File { size_bytes, .. } => {
                    file += 1;
                    let cluster = self.places.files[file - 1].first;
                    let size = u32::try_from(*size_bytes).expect("the tree bounds it");
                    encode(&short.name, ATTRIBUTE_ARCHIVE, time, cluster, size)
                }
            });
        }
        debug_assert_eq!(bytes.len() as u64, planned.size_bytes);
        bytes
    }

    fn free_count(&self) -> u64 {
        self.geometry.cluster_count - self.places.used_count
    }
}

/// A sink whose positions count from the volume's start.
struct Out<'s, C, S> {
    sink: &'s mut S,
    start_bytes: u64,
    contents: std::marker::PhantomData<C>,
}

impl<C, S: Sink<C>> Out<'_, C, S> {
    /// Zeros up to an offset, which lies ahead.
    fn zeros_to(&mut self, offset_bytes: u64) {
        let position = self.sink.position_bytes() - self.start_bytes;
        assert!(position <= offset_bytes, "byte {offset_bytes} is taken");
        if position < offset_bytes {
            self.sink.zeros(offset_bytes - position);
        }
    }
}

impl<C, S: Sink<C>> TableSink for Out<'_, C, S> {
    fn literal(&mut self, bytes: &[u8]) {
        self.sink.literal(bytes);
    }

    fn zeros(&mut self, count_bytes: u64) {
        if count_bytes > 0 {
            self.sink.zeros(count_bytes);
        }
    }
}
