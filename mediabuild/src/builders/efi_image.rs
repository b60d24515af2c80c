//! The FAT image that an ISO starts UEFI machines from, made of the medium's own EFI folder when
//! nobody supplies one.
//!
//! UEFI loads `\EFI\BOOT\BOOT*.EFI` from the image. Microsoft's boot manager then looks for its BCD
//! and `boot.wim` on the disc, as the loader in Microsoft's `efisys.bin` does; that it does so from an
//! image of ours too is not verified with Microsoft's files.

use mediabuild_formats::fat::{
    FLOPPY_SIZE_BYTES, Options, Tree, Variant, WriteError, smallest_size_bytes, write,
};
use mediabuild_formats::iso::BootEntry;
use mediabuild_store::{Content, RecipeBuilder};

use super::BuildContext;
use super::medium_id::digest_of;
use super::medium_tree::MediumTree;
use super::wim_output::RecipeSink;
use crate::failure::Failure;
use crate::media_layout::is_uefi_loader;

/// The image; `None` if the medium has nothing that UEFI starts.
pub(super) fn efi_image(
    medium: &MediumTree,
    epoch_seconds: i64,
    context: &BuildContext<'_>,
) -> Result<Option<BootEntry<Content>>, Failure> {
    let is_efi = |(path, _): &&(String, Content)| {
        path.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("efi/"))
    };
    let files: Vec<&(String, Content)> = medium.start.iter().filter(is_efi).collect();
    if !files.iter().any(|(path, _)| is_uefi_loader(path)) {
        return Ok(None);
    }
    let mut tree = Tree::new();
    for (path, content) in &files {
        tree.insert(path, *content, content.size_bytes)?;
    }
    let digest = digest_of("mediabuild 2026-11 EFI image", files.into_iter());
    let serial = u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]]);
    let emit = |variant, size_bytes| -> Result<RecipeSink, WriteError> {
        let mut options = Options::new(variant, size_bytes, serial, epoch_seconds);
        options.label = "EFISECTOR".into();
        let mut sink = RecipeSink(RecipeBuilder::new());
        write(&tree, &options, &mut sink)?;
        Ok(sink)
    };
    // A floppy disk is what every firmware takes; more than one holds is a small fixed disk.
    let sink = match emit(Variant::Fat12, FLOPPY_SIZE_BYTES) {
        Err(WriteError::VolumeFull { .. }) => {
            emit(Variant::Fat16, smallest_size_bytes(&tree, Variant::Fat16, true)?)?
        }
        other => other?,
    };
    let content = context.put_recipe(&sink.0.finish())?;
    Ok(Some(BootEntry { content, size_bytes: content.size_bytes }))
}
