//! Sizes around the limits between variants, cluster sizes and 32 bits, as sparse files.

use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

use mediabuild_formats::fat::{FILE_MAX_BYTES, Options, Tree, Variant, Volume, write};
use mediabuild_formats::layout::{Extent, Layout, Sink};
use mediabuild_formats::source::Source;

use crate::content::{EPOCH_SECONDS, MIB, options};
use crate::images::peer::{Scratch, find, run};
use crate::images::{FileSource, to_file};

const GIB: u64 = 1 << 30;

#[test]
fn every_size_around_a_limit_passes_fsck() {
    let sizes = [
        (Variant::Fat12, vec![1, 2, 3, 7, 8, 15]),
        (Variant::Fat16, vec![3, 4, 31, 33, 64, 65, 128, 129]),
        (Variant::Fat32, vec![34, 63, 64, 65, 66, 67, 128, 129, 256, 257, 260]),
    ];
    let Some(_) = find("fsck.fat") else { return };
    let scratch = Scratch::new();
    let tree = crate::content::tree(&[("EFI/BOOT/BOOTX64.EFI", vec![1; 1024])]);
    for (variant, size_mib) in
        sizes.into_iter().flat_map(|(v, sizes)| sizes.into_iter().map(move |s| (v, s)))
    {
        let path = scratch.path("volume.img");
        let mut layout = Layout::default();
        if write(&tree, &options(variant, size_mib * MIB), &mut layout).is_err() {
            continue;
        }
        to_file(&layout, &path);
        fsck(&path);
    }
}

/// Nothing to complain of: the version's line, and the counts.
fn fsck(path: &std::path::Path) {
    let Some(mut fsck) = find("fsck.fat") else { return };
    let told = String::from_utf8_lossy(&run(fsck.arg("-n").arg(path))).into_owned();
    assert_eq!(told.lines().count(), 2, "{told}");
}

#[test]
fn volumes_of_8_to_100_gibibytes_are_right_and_sparse() {
    let scratch = Scratch::new();
    let tree = crate::content::tree(&crate::content::files());
    for (size_gib, cluster_kib) in
        [(8, 4), (9, 8), (16, 8), (17, 16), (32, 16), (33, 32), (100, 32)]
    {
        let path = scratch.path("large.img");
        let mut layout = Layout::default();
        write(&tree, &options(Variant::Fat32, size_gib * GIB), &mut layout).expect("a volume");
        to_file(&layout, &path);
        let source = FileSource(File::open(&path).expect("just written"));
        let volume = Volume::open(&source).expect("a volume");
        assert_eq!(
            (volume.size_bytes(), volume.cluster_bytes()),
            (size_gib * GIB, cluster_kib << 10)
        );
        let listed = crate::content::listing(&source, &volume);
        assert!(listed == crate::content::expected(&crate::content::files()));
        if size_gib <= 33 {
            fsck(&path);
        }
    }
}

#[test]
fn the_largest_file_there_can_be_is_whole() {
    let mut tree = Tree::new();
    tree.insert("largest.bin", 7, FILE_MAX_BYTES).expect("a file FAT takes");
    tree.insert("behind.bin", 8, 5).expect("a good path");
    let mut layout: Layout<u8> = Layout::default();
    let options = Options::new(Variant::Fat32, 5 * GIB, 1, EPOCH_SECONDS);
    write(&tree, &options, &mut layout).expect("a volume");
    let source = Holes(layout);
    let volume = Volume::open(&source).expect("a volume");
    assert_eq!(volume.verify(&source), []);
    let entries = volume.walk(&source).expect("a tree");
    let largest = entries.iter().find(|entry| entry.path == "largest.bin").expect("listed");
    assert_eq!((largest.size_bytes, largest.extents.len()), (FILE_MAX_BYTES, 1));
}

/// On the real file: fsck.fat follows the chain, 7-Zip reads every byte.
#[test]
fn files_around_4_gib_are_whole_to_others() {
    const MARK: &[u8] = b"A MARK";
    let scratch = Scratch::new();
    for size_bytes in [4 * GIB - 4096, FILE_MAX_BYTES] {
        let mut tree = Tree::new();
        tree.insert("largest.bin", MARK.to_vec(), size_bytes).expect("a file FAT takes");
        tree.insert("behind.bin", b"behind it".to_vec(), 9).expect("a good path");
        let path = scratch.path("volume.img");
        to_file(&crate::content::layout(&tree, &options(Variant::Fat32, 5 * GIB)), &path);
        let source = FileSource(File::open(&path).expect("just written"));
        let volume = Volume::open(&source).expect("a volume");
        assert_eq!(volume.verify(&source), []);
        let entries = volume.walk(&source).expect("a tree");
        let largest = entries.iter().find(|entry| entry.path == "largest.bin").expect("listed");
        assert_eq!((largest.size_bytes, largest.extents.len()), (size_bytes, 1));
        // The last bytes get a mark where our reader says that they are.
        let end = largest.extents[0].offset_bytes.expect("no hole") + size_bytes;
        let file = File::options().write(true).open(&path).expect("ours");
        std::os::unix::fs::FileExt::write_all_at(&file, MARK, end - MARK.len() as u64)
            .expect("ours");
        // fsck.fat counts a chain's bytes in 32 bits: one of 4 GiB has none, whoever made it.
        if size_bytes <= 4 * GIB - volume.cluster_bytes() {
            fsck(&path);
            continue;
        }
        let Some(mut sevenzip) = find("7zz") else { return };
        sevenzip.args(["x", "-tfat", "-so"]).arg(&path).arg("largest.bin");
        let mut child = sevenzip.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("7zz");
        let stream = child.stdout.take().expect("it is piped");
        assert_eq!(nonzero(stream), (size_bytes, [MARK, MARK].concat()));
        assert!(child.wait().expect("it ends").success());
        let told =
            run(Command::new("7zz").args(["x", "-tfat", "-so"]).arg(&path).arg("behind.bin"));
        assert_eq!(told, b"behind it");
    }
}

/// How many bytes a stream has, and those that are not zero.
fn nonzero(mut stream: impl Read) -> (u64, Vec<u8>) {
    let zeros = vec![0; 1 << 20];
    let (mut block, mut size_bytes, mut found) = (zeros.clone(), 0, Vec::new());
    loop {
        let count = stream.read(&mut block).expect("a pipe");
        if count == 0 {
            return (size_bytes, found);
        }
        if block[..count] != zeros[..count] {
            found.extend(block[..count].iter().filter(|byte| **byte != 0));
        }
        size_bytes += count as u64;
    }
}

/// A layout as a source whose contents are zeros.
struct Holes(Layout<u8>);

impl Source for Holes {
    fn size_bytes(&self) -> u64 {
        self.0.position_bytes()
    }

    fn read_exact_at(&self, offset_bytes: u64, buffer: &mut [u8]) -> std::io::Result<()> {
        let end = offset_bytes + buffer.len() as u64;
        if end > self.size_bytes() {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        buffer.fill(0);
        let mut at = 0;
        for extent in &self.0.extents {
            let size_bytes = match extent {
                Extent::Literal(bytes) => bytes.len() as u64,
                Extent::Zeros(size_bytes) | Extent::Content { size_bytes, .. } => *size_bytes,
            };
            if let Extent::Literal(bytes) = extent {
                let (from, to) = (at.max(offset_bytes), (at + size_bytes).min(end));
                if from < to {
                    let target = (from - offset_bytes) as usize..(to - offset_bytes) as usize;
                    buffer[target]
                        .copy_from_slice(&bytes[(from - at) as usize..(to - at) as usize]);
                }
            }
            at += size_bytes;
        }
        Ok(())
    }
}

/// The count of sectors is a field of 32 bits.
#[test]
fn a_volume_ends_a_sector_before_2_tebibytes() {
    let tree = Tree::<Vec<u8>>::new();
    let size_bytes = 1 << 41;
    for (size_bytes, is_taken) in [(size_bytes - 512, true), (size_bytes, false)] {
        let mut layout = Layout::default();
        let written = write(&tree, &options(Variant::Fat32, size_bytes), &mut layout);
        assert_eq!(written.is_ok(), is_taken, "{size_bytes}");
    }
}
