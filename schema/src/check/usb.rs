//! What a disk image can be, and where it can lie; not in whose way it is (`place.rs`).

use crate::definition::{Kind, Media, Spanned};
use crate::diagnostic::Diagnostic;
use crate::node::{Node, Value};
use crate::value::{output, size};

const MIB: u64 = 1 << 20;
/// FAT32 begins at some 34 MiB; a partition table takes a mebibyte or two.
const SIZE_MIN_BYTES: u64 = 64 * MIB;
/// Where the sector numbers of an MBR end.
const SIZE_MAX_BYTES: u64 = 2 << 40;

/// The rule of the `usb` node.
pub(crate) fn check(node: Node<'_>, diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.extend(node.argument().and_then(wrong_extension));
    diagnostics.extend(node.property("size").and_then(wrong_size));
}

fn wrong_extension(file: Value<'_>) -> Option<Diagnostic> {
    let path = output::resolve(file.string()?).ok()?;
    let name = path.rsplit('/').next().unwrap_or_default();
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    if extension.eq_ignore_ascii_case("img") && !stem.is_empty() {
        return None;
    }
    let stem = if stem.is_empty() { "depot" } else { stem };
    Some(
        Diagnostic::error("wrong-extension", file.span(), "a disk image becomes an `.img` file")
            .label("not `.img`")
            .help(format!("write `usb \"{stem}.img\"`")),
    )
}

fn wrong_size(value: Value<'_>) -> Option<Diagnostic> {
    let size_bytes = size::bytes(value.string()?).ok()?;
    let nearest = (size_bytes / MIB * MIB).clamp(SIZE_MIN_BYTES, SIZE_MAX_BYTES);
    if nearest == size_bytes {
        return None;
    }
    let message = "a disk image has 64MiB to 2TiB, in whole mebibytes";
    Some(
        Diagnostic::error("invalid-size", value.span(), message)
            .label("cannot be made")
            .help(format!("write `size=\"{}\"`", size::written(nearest))),
    )
}

/// Disk images that lie where other results do.
pub(crate) fn check_folders(media: &[Media]) -> Vec<Diagnostic> {
    let images = media.iter().filter_map(|medium| medium.usb.as_ref());
    images.filter_map(|usb| reserved_folder(&usb.file)).collect()
}

/// Results that are not media go to a folder of their kind.
fn reserved_folder(file: &Spanned<String>) -> Option<Diagnostic> {
    let (folder, rest) = file.value.split_once('/')?;
    let mut kinds = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Media);
    let kind = kinds.find(|kind| kind.node_name().eq_ignore_ascii_case(folder))?;
    let message = format!("`{folder}` is the folder of {kind} results");
    Some(
        Diagnostic::error("reserved-folder", file.span, message)
            .label("cannot hold a disk image")
            .help(format!("write `usb \"{rest}\"`")),
    )
}
