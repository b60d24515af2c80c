//! WIM files of other writers, Microsoft's among them: read field by field, rewritten, refused.

mod wim_support;

use std::fs;

use mediabuild_formats::wim::{Detail, Integrity, Wim, dump, dump_image, encode_metadata};
use wim_support::{open, samples};

/// A sample's bytes, if the samples are here.
fn sample(name: &str) -> Option<Vec<u8>> {
    let folder = samples()?;
    Some(fs::read(folder.join(name)).expect("a sample"))
}

/// A text dump of a sample, compared with the golden one.
fn assert_dump(name: &str) {
    if let Some(bytes) = sample(name) {
        let wim = Wim::open(&bytes).expect("a WIM");
        insta::assert_snapshot!(name, dump(&wim, &bytes, Detail::Chunks));
    }
}

#[test]
fn every_field_of_the_samples_is_read() {
    for name in [
        "LZX.wim",
        "XPRESS.wim",
        "BootLZX.wim",
        "BootXPRESS.wim",
        "MultiImage.wim",
        "VerifySuccess.wim",
        "VerifyFail.wim",
    ] {
        assert_dump(name);
    }
}

#[test]
fn solid_files_and_parts_can_be_inspected() {
    for name in ["LZMS.wim", "Split.swm", "Split2.swm"] {
        assert_dump(name);
    }
}

#[test]
fn every_blob_of_the_samples_has_its_hash() {
    let names = [
        "LZX.wim",
        "XPRESS.wim",
        "BootLZX.wim",
        "BootXPRESS.wim",
        "MultiImage.wim",
        "VerifySuccess.wim",
        "LZMS.wim",
        "Split.swm",
        "Split2.swm",
    ];
    for name in names {
        let Some(bytes) = sample(name) else { return };
        let wim = Wim::open(&bytes).expect("a WIM");
        assert!(!wim.blobs.is_empty(), "{name}");
        for entry in wim.blobs.iter().chain(&wim.images) {
            wim.check(&bytes, entry).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        wim.integrity(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn a_changed_resource_is_named() {
    let Some(bytes) = sample("VerifyFail.wim") else { return };
    let wim = Wim::open(&bytes).expect("a WIM");
    assert!(wim.blobs.iter().all(|entry| wim.check(&bytes, entry).is_ok()));
    let error = wim.check(&bytes, &wim.images[0]).expect_err("changed metadata").to_string();
    assert!(error.starts_with("resource at offset 0xd9"), "{error}");
    assert!(wim.image(&bytes, 1).is_err());
    let error = wim.integrity(&bytes).expect_err("a changed byte").to_string();
    assert!(error.starts_with("integrity: bytes 0xd0..0x4db have SHA-1"), "{error}");
}

#[test]
fn an_unchanged_file_agrees_with_its_integrity_table() {
    let Some(bytes) = sample("VerifySuccess.wim") else { return };
    let wim = Wim::open(&bytes).expect("a WIM");
    assert_eq!(wim.integrity(&bytes).ok(), Some(Integrity::Valid { covered_bytes: 1035 }));
    let Some(bytes) = sample("LZX.wim") else { return };
    let wim = Wim::open(&bytes).expect("a WIM");
    assert_eq!(wim.integrity(&bytes).ok(), Some(Integrity::Absent));
}

#[test]
fn metadata_round_trips_to_the_byte() {
    for name in ["LZX.wim", "XPRESS.wim", "BootLZX.wim", "BootXPRESS.wim", "MultiImage.wim"] {
        let Some(bytes) = sample(name) else { return };
        let opened = open(bytes);
        for (index, image) in (1..).zip(&opened.images) {
            let metadata = opened.wim.metadata(&opened.bytes, index).expect("metadata");
            let encoded = encode_metadata(image).expect("an image");
            assert!(encoded == metadata, "{name}: image {index} differs");
        }
    }
}

#[test]
fn rewritten_samples_have_the_same_images() {
    for name in ["LZX.wim", "XPRESS.wim", "BootLZX.wim", "BootXPRESS.wim", "MultiImage.wim"] {
        let Some(bytes) = sample(name) else { return };
        let opened = open(bytes);
        let again = open(opened.rewrite().0);
        assert_eq!(again.wim.header.boot_index, opened.wim.header.boot_index);
        for (before, after) in opened.images.iter().zip(&again.images) {
            assert_eq!(dump_image(before), dump_image(after), "{name}");
        }
        for blob in &again.wim.blobs {
            again.wim.check(&again.bytes, blob).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        assert!(again.rewrite().0 == again.bytes, "{name}: rewriting is not idempotent");
    }
}

#[test]
fn a_split_set_is_opened_part_by_part() {
    let (Some(first), Some(second)) = (sample("Split.swm"), sample("Split2.swm")) else { return };
    let (one, two) = (Wim::open(&first).expect("part 1"), Wim::open(&second).expect("part 2"));
    let parts = [&one, &two].map(|wim| (wim.header.part_number, wim.header.part_count));
    assert_eq!(parts, [(1, 2), (2, 2)]);
    assert_eq!((one.images.len(), two.images.len()), (1, 0));
    let image = one.image(&first, 1).expect("an image");
    let missing = image.walk().flat_map(|(_, dentry)| dentry.blobs().collect::<Vec<_>>());
    let missing: Vec<_> = missing.filter(|sha1| one.blob(sha1).is_none()).collect();
    assert!(!missing.is_empty() && missing.iter().all(|sha1| two.blob(sha1).is_some()));
    let foreign = two.blob(&missing[0]).expect("a blob of part 2");
    let error = one.check(&first, foreign).expect_err("another part").to_string();
    assert!(error.ends_with("is in part 2 of the set, this is part 1"), "{error}");
}
