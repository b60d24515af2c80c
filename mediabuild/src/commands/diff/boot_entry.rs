//! What an El Torito entry starts: the bytes of its boot image, by their hash. They need not be a file
//! of any tree, so no comparison of files sees them.

use mediabuild_formats::fat::Volume;
use mediabuild_formats::iso::BootImage;
use mediabuild_formats::partition::Part;
use mediabuild_formats::source::Source;
use mediabuild_formats::wim::Sha1;
use sha1::Digest;

use crate::cancel;
use crate::failure::Failure;
use crate::progress::Job;

const PLATFORM_UEFI: u8 = 0xEF;
/// Sectors of boot images are counted in this size, and the place of each in the other.
const COUNTED_SECTOR_BYTES: u64 = 512;
const DISC_SECTOR_BYTES: u64 = 2048;
/// Bytes hashed at once.
const PIECE_BYTES: u64 = 64 << 10;

/// The entry as a text that differs if it starts something else.
pub(super) fn text<S: Source + ?Sized>(
    image: &BootImage,
    source: &S,
    job: &Job<'_>,
) -> Result<String, Failure> {
    let bytes = bytes_of(image, source);
    Ok(format!(
        "platform {:#04x}, bootable {}, media {}, {} sectors; {} bytes, SHA-1 {}",
        image.platform,
        image.is_bootable,
        image.media,
        image.sector_count,
        bytes.size_bytes(),
        sha1_of(&bytes, job)?
    ))
}

/// The boot image, as much of it as the disc has. Its size is that of the FAT volume, which firmware
/// mounts whatever the entry counts: as on Microsoft's media that is 1. Else what the entry counts,
/// which is what a BIOS loads.
fn bytes_of<'s, S: Source + ?Sized>(image: &BootImage, source: &'s S) -> Part<&'s S> {
    let start_bytes = u64::from(image.lba) * DISC_SECTOR_BYTES;
    let counted_bytes = u64::from(image.sector_count.max(1)) * COUNTED_SECTOR_BYTES;
    let is_mounted = image.platform == PLATFORM_UEFI || image.media != 0;
    let rest = Part::new(source, start_bytes, u64::MAX);
    let volume = is_mounted.then(|| Volume::open(&rest).ok()).flatten();
    let size_bytes = volume.map_or(counted_bytes, |volume| volume.size_bytes());
    Part::new(source, start_bytes, size_bytes)
}

fn sha1_of<S: Source>(bytes: &Part<S>, job: &Job<'_>) -> Result<Sha1, Failure> {
    let mut hasher = sha1::Sha1::new();
    let mut piece = vec![0; PIECE_BYTES as usize];
    let mut at = 0;
    while at < bytes.size_bytes() {
        cancel::check()?;
        let size_bytes = PIECE_BYTES.min(bytes.size_bytes() - at);
        let piece = &mut piece[..size_bytes as usize];
        bytes.read_exact_at(at, piece).map_err(|error| {
            Failure::build(format!("cannot read byte {at} of a boot image: {error}"))
        })?;
        hasher.update(&*piece);
        job.advance(size_bytes);
        at += size_bytes;
    }
    Ok(Sha1(hasher.finalize().into()))
}
