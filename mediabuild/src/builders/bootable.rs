//! `bootable`: boot image, boot files, variables and packages → an ISO that starts the boot image,
//! or a set of them (`disc_set.rs`).

use mediabuild_formats::iso::{BootEntry, Options, Tree, measure, write};
use mediabuild_store::{Content, Output, RecipeBuilder};
use serde::Serialize;
use serde_json::{Value, json};

use super::disc_order::order;
use super::disc_set::DiscSet;
use super::efi_image::efi_image;
use super::medium_id::add_files;
use super::medium_tree::MediumTree;
use super::wim_output::RecipeSink;
use super::{BuildContext, Builder, BuilderVersion, content_input};
use crate::derivation::Inputs;
use crate::failure::Failure;

pub(crate) const BUILDER: BuilderVersion = BuilderVersion { name: "bootable", version: 4 };

/// A bootable medium.
#[derive(Serialize)]
pub(crate) struct Bootable {
    /// The volume label.
    pub(crate) label: String,
    /// The folder of packages on the medium.
    pub(crate) packages: String,
    pub(crate) epoch_seconds: i64,
    /// Whether ISO 9660 and Joliet trees show the files too.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_mirrored: bool,
    /// What becomes of content that fits no disc; nobody said how large one is without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) set: Option<DiscSet>,
}

impl Builder for Bootable {
    fn builder(&self) -> BuilderVersion {
        BUILDER
    }

    fn options(&self) -> Value {
        json!(self)
    }

    fn build(&self, inputs: &Inputs, context: &BuildContext<'_>) -> Result<Output, Failure> {
        let medium = MediumTree::of(inputs, &self.packages, context)?;
        let mut tree = Tree::new();
        for (path, content) in medium.files() {
            tree.insert(path, *content, content.size_bytes)?;
        }
        let options = self.options_of(&medium, inputs, context)?;
        if let Some(set) = &self.set
            && measure(&tree, &options)? > set.capacity_bytes
        {
            return set.put(&medium, &options, context);
        }
        let mut sink = RecipeSink(RecipeBuilder::new());
        write(&tree, &options, &mut sink)?;
        context.put_recipe(&sink.0.finish()).map(Output::Content)
    }
}

impl Bootable {
    fn options_of(
        &self,
        medium: &MediumTree,
        inputs: &Inputs,
        context: &BuildContext<'_>,
    ) -> Result<Options<Content>, Failure> {
        let id = volume_set_id(&self.label, medium.files());
        let mut options = Options::new(self.label.clone(), self.epoch_seconds, id);
        options.is_mirrored = self.is_mirrored;
        options.bios = boot_entry(inputs, "el-torito/bios")?;
        options.uefi = match boot_entry(inputs, "el-torito/uefi")? {
            None => efi_image(medium, self.epoch_seconds, context)?,
            given => given,
        };
        if options.bios.is_none() && options.uefi.is_none() {
            (context.warn)(
                "no `el-torito` entry in the boot image's `boot-files`, and no \
                 `efi/boot/boot*.efi` on the medium: the ISO does not boot",
            );
        }
        if inputs.get("order").is_some() {
            options.order = order(&content_input(inputs, "order")?, medium, context)?;
        }
        Ok(options)
    }
}

/// Differs when any content, path or the label differs: the first half of the volume set's id.
pub(super) fn volume_set_id<'a>(
    label: &str,
    files: impl IntoIterator<Item = &'a (String, Content)>,
) -> [u8; 8] {
    let mut hasher = blake3::Hasher::new_derive_key("mediabuild 2026-11 volume set");
    hasher.update(label.as_bytes());
    add_files(&mut hasher, files);
    let mut id = [0; 8];
    hasher.finalize_xof().fill(&mut id);
    id
}

fn boot_entry(inputs: &Inputs, role: &str) -> Result<Option<BootEntry<Content>>, Failure> {
    if inputs.get(role).is_none() {
        return Ok(None);
    }
    let content = content_input(inputs, role)?;
    Ok(Some(BootEntry { content, size_bytes: content.size_bytes }))
}
