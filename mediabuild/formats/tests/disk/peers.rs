//! What fsck.fat, mtools, 7-Zip, sfdisk and sgdisk say of our volumes, and what our reader says of
//! those of mkfs.fat.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use mediabuild_formats::fat::{FLOPPY_SIZE_BYTES, Variant, Volume};
use mediabuild_formats::partition::{Guid, Scheme};

use crate::content::{MIB, expected, files, layout, listing, options, tree};
use crate::images::peer::{Scratch, find, run};
use crate::images::{bytes, to_file};
use crate::partition::disk;

const VOLUMES: [(Variant, u64); 5] = [
    (Variant::Fat12, 8 * MIB),
    (Variant::Fat16, 40 * MIB),
    (Variant::Fat32, 34 * MIB),
    (Variant::Fat32, 100 * MIB),
    (Variant::Fat32, 300 * MIB),
];

fn volume(scratch: &Scratch, variant: Variant, size_bytes: u64) -> PathBuf {
    let path = scratch.path(&format!("{}-{size_bytes}.img", variant.name()));
    to_file(&layout(&tree(&files()), &options(variant, size_bytes)), &path);
    path
}

#[test]
fn fsck_finds_nothing() {
    let scratch = Scratch::new();
    for (variant, size_bytes) in VOLUMES {
        let path = volume(&scratch, variant, size_bytes);
        let Some(mut fsck) = find("fsck.fat") else { return };
        let told = String::from_utf8_lossy(&run(fsck.arg("-n").arg(&path))).into_owned();
        // The version's line, and the counts.
        assert_eq!(told.lines().count(), 2, "{told}");
    }
}

#[test]
fn mtools_give_the_same_names_and_bytes() {
    let scratch = Scratch::new();
    for (variant, size_bytes) in VOLUMES {
        let path = volume(&scratch, variant, size_bytes);
        let Some(mut mcopy) = find("mcopy") else { return };
        let out = scratch.path(variant.name()).join(size_bytes.to_string());
        std::fs::create_dir_all(&out).expect("a folder");
        run(utf8(&mut mcopy).arg("-s").arg("-i").arg(&path).arg("::*").arg(&out));
        // mtools know characters of 16 bits only, and show others as two underscores.
        let shown = |(path, bytes): (String, Vec<u8>)| (path.replace('💾', "__"), bytes);
        let wanted: BTreeMap<_, _> = files_only().into_iter().map(shown).collect();
        assert!(tree_of(&out) == wanted, "{variant:?} {size_bytes}");
        let mut mlabel = Command::new("mlabel");
        let told = run(mlabel.arg("-s").arg("-i").arg(&path).arg("::"));
        assert!(String::from_utf8_lossy(&told).contains("DEPOT11"));
    }
}

#[test]
fn seven_zip_takes_volumes_and_disks() {
    let scratch = Scratch::new();
    for (variant, size_bytes) in VOLUMES {
        let path = volume(&scratch, variant, size_bytes);
        let Some(mut sevenzip) = find("7zz") else { return };
        run(sevenzip.args(["t", "-tfat"]).arg(&path));
        let out = scratch.path("7z").join(variant.name()).join(size_bytes.to_string());
        let to = format!("-o{}", out.display());
        run(Command::new("7zz").args(["x", "-tfat", "-y", &to]).arg(&path));
        assert!(tree_of(&out) == files_only(), "{variant:?} {size_bytes}");
    }
    for (name, scheme) in schemes() {
        let path = scratch.path(name);
        std::fs::write(&path, disk(scheme)).expect("a writable folder");
        run(Command::new("7zz").arg("t").arg(&path));
        let told = run(Command::new("7zz").args(["l", "-slt"]).arg(&path));
        assert!(String::from_utf8_lossy(&told).contains("FAT"), "{name}");
    }
}

#[test]
fn sfdisk_and_sgdisk_read_the_tables() {
    let scratch = Scratch::new();
    for (name, scheme) in schemes() {
        let path = scratch.path(name);
        std::fs::write(&path, disk(scheme)).expect("a writable folder");
        if let Some(mut sfdisk) = find("sfdisk") {
            let told = run(Command::new("sfdisk").arg("--verify").arg(&path));
            let told = String::from_utf8_lossy(&told).into_owned();
            assert!(told.contains("No errors detected"), "{name}: {told}");
            let output = sfdisk.arg("-J").arg(&path).output().expect("it starts");
            let told = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
            assert!(told.contains(r#""start": 2048"#), "{told}");
            match scheme {
                Scheme::Mbr { .. } => {
                    assert!(told.contains(r#""id": "0x11223344""#), "{told}");
                    assert!(
                        told.contains(r#""type": "c""#) && told.contains(r#""bootable": true"#)
                    );
                }
                Scheme::Gpt { disk, partition } => {
                    assert!(told.contains(&disk.to_string()), "{told}");
                    assert!(told.contains(&partition.to_string()), "{told}");
                    assert!(told.contains(&Guid::BASIC_DATA.to_string()), "{told}");
                }
            }
        }
        if let (Scheme::Gpt { .. }, Some(mut sgdisk)) = (scheme, find("sgdisk")) {
            let told = String::from_utf8_lossy(&run(sgdisk.arg("-v").arg(&path))).into_owned();
            assert!(told.contains("No problems found"), "{told}");
        }
    }
}

#[test]
fn our_reader_takes_what_others_write() {
    let scratch = Scratch::new();
    for (bits, size_bytes) in [("12", FLOPPY_SIZE_BYTES), ("16", 20 * MIB), ("32", 80 * MIB)] {
        let path = scratch.path(&format!("foreign-{bits}.img"));
        std::fs::File::create(&path).and_then(|file| file.set_len(size_bytes)).expect("a file");
        let Some(mut mkfs) = find("mkfs.fat") else { return };
        run(mkfs.args(["-F", bits, "-n", "FOREIGN", "-i", "4D454449"]).arg(&path));
        let Some(_) = find("mcopy") else { return };
        let folder = scratch.path("source").join(bits);
        let small: Vec<_> = files().into_iter().filter(|(_, bytes)| bytes.len() < 5000).collect();
        for (name, bytes) in &small {
            let to = folder.join(name);
            std::fs::create_dir_all(to.parent().expect("a parent")).expect("folders");
            std::fs::write(to, bytes).expect("a file");
        }
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let entry = entry.expect("readable").path();
            run(utf8(&mut Command::new("mcopy"))
                .args(["-s", "-i"])
                .arg(&path)
                .arg(entry)
                .arg("::"));
        }
        let bytes = std::fs::read(&path).expect("a file");
        let volume = Volume::open(&bytes).expect("a volume");
        assert_eq!((volume.label().as_str(), volume.serial()), ("FOREIGN", 0x4D45_4449));
        assert_eq!(volume.variant().name(), format!("FAT{bits}"));
        assert_eq!(volume.verify(&bytes), []);
        assert!(listing(&bytes, &volume) == expected(&small), "FAT{bits}");
    }
}

#[test]
fn mkfs_gives_fat32_the_same_shape() {
    let scratch = Scratch::new();
    let path = scratch.path("mkfs.img");
    std::fs::File::create(&path).and_then(|file| file.set_len(300 * MIB)).expect("a file");
    let Some(mut mkfs) = find("mkfs.fat") else { return };
    run(mkfs.args(["-F", "32", "-s", "8"]).arg(&path));
    let theirs = Volume::open(&std::fs::read(&path).expect("a file")).expect("a volume");
    let ours = bytes(&layout(&tree(&[]), &options(Variant::Fat32, 300 * MIB)));
    assert_eq!(Volume::open(&ours).expect("a volume").cluster_bytes(), theirs.cluster_bytes());
}

fn schemes() -> [(&'static str, Scheme); 2] {
    let (disk, partition) = (Guid::of_bytes([0x5A; 16]), Guid::of_bytes([0xA5; 16]));
    [
        ("mbr.img", Scheme::Mbr { disk_id: 0x1122_3344 }),
        ("gpt.img", Scheme::Gpt { disk, partition }),
    ]
}

fn files_only() -> BTreeMap<String, Vec<u8>> {
    files().into_iter().map(|(path, bytes)| (path.to_owned(), bytes)).collect()
}

/// All files below a folder.
fn tree_of(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut found, mut waiting) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(path) = waiting.pop() {
        for entry in std::fs::read_dir(&path).expect("a folder") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below").to_string_lossy().into_owned();
                found.insert(name, std::fs::read(&path).expect("readable"));
            }
        }
    }
    found
}

/// mtools convert names by the locale.
fn utf8(command: &mut Command) -> &mut Command {
    command.env("LC_ALL", "C.UTF-8").env("MTOOLS_SKIP_CHECK", "1")
}
