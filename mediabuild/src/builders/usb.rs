//! `usb`: what lies on a bootable medium → a disk image with one FAT32 partition. It names the same
//! contents as the ISO, so that both take the store's space once.

use mediabuild_formats::fat::{
    Options, SECTOR_SIZE_BYTES, Tree, Variant, WriteError, smallest_size_bytes, write,
};
use mediabuild_formats::partition::{Disk, Guid, PARTITION_START_BYTES, Scheme};
use mediabuild_store::{Content, Output, RecipeBuilder};
use serde::Serialize;
use serde_json::{Value, json};

use super::coding::CodingRequest;
use super::fat_parts::divided;
use super::medium_id::digest_of;
use super::medium_tree::MediumTree;
use super::wim_output::RecipeSink;
use super::{BuildContext, Builder, BuilderVersion};
use crate::derivation::Inputs;
use crate::failure::Failure;
use crate::media_layout::is_uefi_loader;

pub(crate) const BUILDER: BuilderVersion = BuilderVersion { name: "usb", version: 1 };

/// A disk image.
#[derive(Serialize)]
pub(crate) struct Usb {
    pub(crate) table: Table,
    /// The volume label.
    pub(crate) label: String,
    /// The size of the disk; the smallest without it.
    pub(crate) size_bytes: Option<u64>,
    /// The folder of packages on the medium.
    pub(crate) packages: String,
    pub(crate) epoch_seconds: i64,
    /// How the parts of a WIM that is too large have their metadata.
    pub(crate) metadata: CodingRequest,
}

/// How the disk is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Table {
    Mbr,
    Gpt,
}

impl Builder for Usb {
    fn builder(&self) -> BuilderVersion {
        BUILDER
    }

    fn options(&self) -> Value {
        json!(self)
    }

    fn build(&self, inputs: &Inputs, context: &BuildContext<'_>) -> Result<Output, Failure> {
        let medium = MediumTree::of(inputs, &self.packages, context)?;
        let files = divided(medium.files(), &self.metadata, context)?;
        let mut tree = Tree::new();
        for (path, content) in &files {
            tree.insert(path, *content, content.size_bytes)?;
        }
        if !files.iter().any(|(path, _)| is_uefi_loader(path)) {
            (context.warn)(
                "there is no `efi/boot/boot*.efi` on the medium: the disk does not boot",
            );
        }
        let Ids { scheme, serial } = self.ids(&files);
        let partition_bytes = self.partition_bytes(&tree, &scheme)?;
        let disk = Disk { scheme, partition_bytes, name: self.label.clone() };
        let mut options = Options::new(Variant::Fat32, partition_bytes, serial, self.epoch_seconds);
        options.start_bytes = PARTITION_START_BYTES;
        options.label.clone_from(&self.label);
        let mut sink = RecipeSink(RecipeBuilder::new());
        disk.head(&mut sink);
        write(&tree, &options, &mut sink).map_err(|error| self.explained(error, &tree, &scheme))?;
        disk.tail(&mut sink);
        context.put_recipe(&sink.0.finish()).map(Output::Content)
    }
}

/// What tells a disk from others.
struct Ids {
    scheme: Scheme,
    serial: u32,
}

impl Usb {
    /// All ids follow from what is on the disk and how it is called.
    fn ids(&self, files: &[(String, Content)]) -> Ids {
        let purpose = format!("mediabuild 2026-11 disk ids {:?} {}", self.table, self.label);
        let digest = digest_of(&purpose, files.iter());
        let number = |at: usize| {
            let bytes = [digest[at], digest[at + 1], digest[at + 2], digest[at + 3]];
            // 0 says "none".
            u32::from_le_bytes(bytes).max(1)
        };
        let guid = |at: usize| {
            let mut bytes = [0; 16];
            bytes.copy_from_slice(&digest[at..at + 16]);
            Guid::of_bytes(bytes)
        };
        let scheme = match self.table {
            Table::Mbr => Scheme::Mbr { disk_id: number(0) },
            Table::Gpt => Scheme::Gpt { disk: guid(16), partition: guid(32) },
        };
        Ids { scheme, serial: number(4) }
    }

    fn partition_bytes(&self, tree: &Tree<Content>, scheme: &Scheme) -> Result<u64, Failure> {
        match self.size_bytes {
            None => Ok(smallest_size_bytes(tree, Variant::Fat32, true)?),
            Some(size_bytes) => Ok(size_bytes.saturating_sub(Disk::overhead_bytes(scheme))
                / SECTOR_SIZE_BYTES
                * SECTOR_SIZE_BYTES),
        }
    }

    /// Says which size would do.
    fn explained(&self, error: WriteError, tree: &Tree<Content>, scheme: &Scheme) -> Failure {
        let WriteError::VolumeFull { .. } = error else { return error.into() };
        let Ok(needed_bytes) = smallest_size_bytes(tree, Variant::Fat32, true) else {
            return error.into();
        };
        let needed_mib = (needed_bytes + Disk::overhead_bytes(scheme)).div_ceil(1 << 20);
        let said_mib = self.size_bytes.unwrap_or_default() >> 20;
        let message = format!("the medium needs {needed_mib}MiB, and the disk has {said_mib}MiB");
        Failure::build(message)
            .help(format!("write `size=\"{needed_mib}MiB\"` or more, or leave `size=` out"))
    }
}
