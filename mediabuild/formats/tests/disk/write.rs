//! The FAT writer by itself: what lies where, what is refused.

use mediabuild_formats::fat::{
    FLOPPY_SIZE_BYTES, Tree, Variant, Volume, WriteError, smallest_size_bytes, write,
};
use mediabuild_formats::layout::{Extent, Layout};
use mediabuild_formats::volume::TreeError;

use crate::content::{MIB, expected, files, layout, listing, options, tree};
use crate::images::bytes;

/// Each variant at sizes with each of its first clusters.
const VOLUMES: [(Variant, u64); 7] = [
    (Variant::Fat12, 8 * MIB),
    (Variant::Fat16, 8 * MIB),
    (Variant::Fat16, 40 * MIB),
    (Variant::Fat32, 34 * MIB),
    (Variant::Fat32, 65 * MIB),
    (Variant::Fat32, 200 * MIB),
    (Variant::Fat32, 300 * MIB),
];

#[test]
fn every_variant_reads_back_without_a_finding() {
    for (variant, size_bytes) in VOLUMES {
        let bytes = bytes(&layout(&tree(&files()), &options(variant, size_bytes)));
        let volume = Volume::open(&bytes).expect("a volume");
        assert_eq!((volume.variant(), volume.size_bytes()), (variant, size_bytes));
        assert_eq!((volume.label(), volume.serial()), ("DEPOT11".to_owned(), 0x1234_5678));
        assert_eq!(volume.verify(&bytes), []);
        assert!(listing(&bytes, &volume) == expected(&files()), "{variant:?} {size_bytes}");
    }
}

#[test]
fn contents_are_named_whole_and_large_ones_lie_on_blocks() {
    for (variant, size_bytes) in VOLUMES {
        let layout = layout(&tree(&files()), &options(variant, size_bytes));
        let (mut at, mut large) = (0, 0);
        for extent in &layout.extents {
            match extent {
                Extent::Literal(bytes) => at += bytes.len() as u64,
                Extent::Zeros(count_bytes) => at += count_bytes,
                Extent::Content { size_bytes, .. } => {
                    if *size_bytes >= MIB {
                        assert!(at.is_multiple_of(4096), "{variant:?}: {at}");
                        large += 1;
                    }
                    at += size_bytes;
                }
            }
        }
        assert_eq!(large, 2);
    }
}

#[test]
fn boot_files_come_first() {
    let layout = layout(&tree(&files()), &options(Variant::Fat32, 300 * MIB));
    let sizes = layout.extents.iter().filter_map(|extent| match extent {
        Extent::Content { size_bytes, .. } => Some(*size_bytes),
        _ => None,
    });
    let expected = [511, 4096, 1024, MIB + 1];
    assert_eq!(sizes.take(4).collect::<Vec<_>>(), expected);
}

#[test]
fn the_smallest_volume_is_full_and_one_smaller_is_too_small() {
    let mut large = files();
    large.push(("large.bin", vec![1; 40 * MIB as usize]));
    for (variant, tree) in [
        (Variant::Fat12, tree(&files())),
        (Variant::Fat16, tree(&files())),
        (Variant::Fat16, tree(&large)),
        (Variant::Fat32, tree(&files())),
        (Variant::Fat32, tree(&large)),
    ] {
        let size_bytes = smallest_size_bytes(&tree, variant, true).expect("a size");
        assert!(size_bytes.is_multiple_of(MIB));
        layout(&tree, &options(variant, size_bytes));
        let smaller = options(variant, size_bytes - MIB);
        write(&tree, &smaller, &mut Layout::default()).expect_err("no room");
    }
}

#[test]
fn a_floppy_image_is_a_floppy() {
    let tree = tree(&[("EFI/BOOT/BOOTX64.EFI", vec![0xE0; 1024])]);
    let bytes = bytes(&layout(&tree, &options(Variant::Fat12, FLOPPY_SIZE_BYTES)));
    assert_eq!(bytes.len(), 1_474_560);
    // Sectors per cluster, root entries, sectors, media, sectors per FAT, per track, heads.
    assert_eq!(bytes[13], 1);
    assert_eq!(&bytes[17..28], [224, 0, 0x40, 0x0B, 0xF0, 9, 0, 18, 0, 2, 0]);
}

#[test]
fn an_empty_tree_is_a_volume() {
    let bytes = bytes(&layout(&Tree::new(), &options(Variant::Fat32, 64 * MIB)));
    let volume = Volume::open(&bytes).expect("a volume");
    assert_eq!(volume.verify(&bytes), []);
    assert!(listing(&bytes, &volume).is_empty());
}

fn refused(path: &str, size_bytes: u64) -> TreeError {
    let mut tree = Tree::new();
    tree.insert("there/File.txt", 0, 1).expect("a good path");
    tree.insert(path, 1, size_bytes).expect_err("a bad path")
}

#[test]
fn what_fat_cannot_hold_is_told_by_its_path() {
    for path in ["a:b", "a/CON?", "x.", "x ", "", "a//b", "..", "a\\b", "tab\there"] {
        assert!(matches!(refused(path, 1), TreeError::BadName { .. }), "{path}");
    }
    let long = "x".repeat(256);
    assert!(matches!(refused(&long, 1), TreeError::BadName { .. }));
    let deep = ["folder"; 40].join("/");
    assert!(refused(&deep, 1).to_string().contains("256"), "{}", refused(&deep, 1));
    assert!(matches!(refused("there/FILE.TXT", 1), TreeError::CaseCollision { .. }));
    assert!(matches!(refused("There/other", 1), TreeError::CaseCollision { .. }));
    assert!(matches!(refused("there/File.txt", 1), TreeError::Duplicate { .. }));
    assert!(matches!(refused("there/File.txt/x", 1), TreeError::FileAsDirectory { .. }));
    let large = refused("sources/install.wim", 1 << 32).to_string();
    assert!(large.starts_with("`sources/install.wim` has 4294967296 bytes"), "{large}");
}

#[test]
fn labels_and_times_that_do_not_fit_are_refused() {
    for label in ["TWELVE CHARS", "a.b", "naïve", " X", "a+b"] {
        let mut options = options(Variant::Fat32, 64 * MIB);
        options.label = label.into();
        let error = write(&tree(&[]), &options, &mut Layout::default()).expect_err(label);
        assert!(matches!(error, WriteError::Label { .. }), "{error}");
    }
    let mut options = options(Variant::Fat32, 64 * MIB);
    options.epoch_seconds = 4_400_000_000;
    let error = write(&tree(&[]), &options, &mut Layout::default()).expect_err("a late time");
    assert!(matches!(error, WriteError::Time { .. }));
}

#[test]
fn a_folder_with_too_many_entries_is_told() {
    let mut tree = Tree::new();
    for at in 0..33_000 {
        let name = format!("many/{at:032}");
        tree.insert(&name, 0, 0).expect("a good path");
    }
    let mut layout: Layout<i32> = Layout::default();
    let error =
        write(&tree, &options(Variant::Fat32, 64 * MIB), &mut layout).expect_err("too many");
    assert!(matches!(error, WriteError::DirectoryTooLarge { ref path, .. } if path == "many"));
}
