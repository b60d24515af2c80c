//! Random trees survive writing and reading; random damage gives errors, never panics.

mod wim_support;

use std::collections::BTreeMap;
use std::fs;
use std::rc::Rc;

use mediabuild_formats::codec::{lzx, xpress};
use mediabuild_formats::wim::{
    Dentry, FileTime, Image, Name, NamedStream, Reparse, Sha1, Wim, attribute, decode_metadata,
    dump, encode_metadata,
};
use proptest::prelude::*;
use wim_support::{Bytes, open, samples, write_raw};

/// Contents by a small number, so that files share them.
fn content(number: u8) -> Bytes {
    Rc::new(vec![number; usize::from(number) * 7 % 50])
}

fn contents() -> BTreeMap<Sha1, Bytes> {
    (0..8)
        .map(|number| (Sha1::of(&content(number)), content(number)))
        .filter(|(_, content)| !content.is_empty())
        .collect()
}

/// A blob, or an empty stream.
fn blob() -> impl Strategy<Value = Sha1> {
    (0..8_u8).prop_map(|number| match content(number).as_slice() {
        [] => Sha1::ZERO,
        bytes => Sha1::of(bytes),
    })
}

fn name() -> impl Strategy<Value = Name> {
    let unit = prop_oneof![
        4 => (0..26_u16).prop_map(|letter| 0x41 + letter),
        4 => (0..26_u16).prop_map(|letter| 0x61 + letter),
        1 => any::<u16>().prop_filter("not in names", |unit| ![0, 0x2f, 0x5c].contains(unit)),
    ];
    prop::collection::vec(unit, 1..6)
        .prop_map(Name::from_units)
        .prop_filter("a dot", |name| !matches!(name.units(), [46] | [46, 46]))
}

fn streams() -> impl Strategy<Value = Vec<NamedStream>> {
    let stream = (name(), any::<u64>(), blob()).prop_map(|(name, reserved, sha1)| NamedStream {
        name,
        reserved,
        sha1,
    });
    prop::collection::vec(stream, 0..3)
}

fn reparse() -> impl Strategy<Value = Reparse> {
    (any::<u32>(), any::<u16>(), any::<u16>(), 1..4_u8).prop_map(
        |(tag, reserved, flags, number)| Reparse {
            tag,
            reserved,
            flags,
            sha1: Sha1::of(&content(number)),
        },
    )
}

/// Everything but kind, data and children.
fn any_dentry() -> impl Strategy<Value = Dentry> {
    let names = (name(), prop_oneof![Just(Name::default()), name()]);
    let fields = (any::<u32>(), -1..2_i32, any::<[u64; 2]>(), any::<[u64; 3]>(), any::<u32>());
    let tagged = prop::collection::vec(any::<u64>(), 0..3);
    (names, fields, prop::option::weighted(0.2, reparse()), streams(), tagged, 0..3_u64).prop_map(
        |((name, short_name), fields, reparse, streams, tagged, hard_link)| {
            let (bits, security_id, reserved, times, unknown) = fields;
            let kind = attribute::DIRECTORY | attribute::REPARSE_POINT;
            let flag = if reparse.is_some() { attribute::REPARSE_POINT } else { 0 };
            let [creation, access, write] = times.map(FileTime);
            Dentry {
                short_name,
                attributes: bits & !kind | flag,
                security_id,
                reserved,
                creation,
                access,
                write,
                unknown,
                reparse,
                hard_link: if reparse.is_some() { 0 } else { hard_link },
                streams,
                tagged: tagged.into_iter().flat_map(u64::to_le_bytes).collect(),
                ..Dentry::file(name, Sha1::ZERO, FileTime(0))
            }
        },
    )
}

fn any_file() -> impl Strategy<Value = Dentry> {
    (any_dentry(), blob()).prop_map(|(dentry, data)| Dentry { data, ..dentry })
}

fn any_folder(children: impl Strategy<Value = Vec<Dentry>>) -> impl Strategy<Value = Dentry> {
    (any_dentry(), children).prop_map(|(mut dentry, mut children)| {
        children.sort_by(|left, right| left.name.cmp(&right.name));
        children.dedup_by(|left, right| left.name == right.name);
        dentry.attributes |= attribute::DIRECTORY;
        dentry.hard_link = 0;
        Dentry { children, ..dentry }
    })
}

fn any_image() -> impl Strategy<Value = Image> {
    let below =
        any_file().prop_recursive(4, 30, 6, |inner| any_folder(prop::collection::vec(inner, 0..6)));
    let root = any_folder(prop::collection::vec(below, 0..6)).prop_map(|root| Dentry {
        name: Name::default(),
        attributes: root.attributes & !attribute::REPARSE_POINT,
        reparse: None,
        ..root
    });
    let descriptor = prop::collection::vec(any::<u8>(), 0..30);
    (root, prop::collection::vec(descriptor, 2))
        .prop_map(|(root, security)| Image { security, root })
}

/// Replaces hard link ids by the number of the first dentry of each group, 0 for groups of one.
fn canonical_links(image: &Image) -> Image {
    let keys: Vec<(u64, Sha1)> = image.walk().map(|(_, d)| (d.hard_link, d.data)).collect();
    let count = |key: &(u64, Sha1)| keys.iter().filter(|other| *other == key).count();
    let mut image = image.clone();
    let mut pending = vec![&mut image.root];
    while let Some(dentry) = pending.pop() {
        let key = (dentry.hard_link, dentry.data);
        if key.0 != 0 {
            let first = keys.iter().position(|other| *other == key).unwrap_or_default();
            dentry.hard_link = if count(&key) > 1 { first as u64 } else { 0 };
        }
        pending.extend(&mut dentry.children);
    }
    image
}

/// Everything a caller may do with untrusted bytes.
fn exercise(bytes: &Vec<u8>) {
    let Ok(wim) = Wim::open(bytes) else { return };
    let _ = dump(&wim, bytes);
    let _ = wim.integrity(bytes);
    for entry in wim.blobs.iter().chain(&wim.images).chain(&wim.solid) {
        let _ = wim.check(bytes, entry);
    }
    for index in 1..=wim.images.len() {
        if let Ok(image) = wim.image(bytes, index) {
            let encoded = encode_metadata(&image);
            if let Ok(encoded) = encoded {
                decode_metadata(&encoded).expect("what we wrote");
            }
        }
    }
}

/// Changes a few bytes, preferring values at the edges, and perhaps cuts the end off.
fn damage(bytes: &mut Vec<u8>, changes: &[(prop::sample::Index, u8)], cut: Option<usize>) {
    for (index, value) in changes {
        let position = index.index(bytes.len());
        bytes[position] = match value % 4 {
            0 => 0,
            1 => 0xff,
            2 => bytes[position].wrapping_add(1),
            _ => *value,
        };
    }
    if let Some(cut) = cut {
        bytes.truncate(cut % (bytes.len() + 1));
    }
}

fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    prop::collection::vec(any::<(prop::sample::Index, u8)>(), 0..8)
}

proptest! {
    #[test]
    fn trees_survive_writing_and_reading(image in any_image()) {
        let encoded = encode_metadata(&image).expect("a valid image");
        let decoded = decode_metadata(&encoded).expect("own metadata");
        prop_assert_eq!(canonical_links(&decoded), canonical_links(&image));
        prop_assert_eq!(encode_metadata(&decoded).expect("a valid image"), encoded);
    }

    #[test]
    fn files_survive_rewriting(first in any_image(), second in any_image()) {
        let opened = open(write_raw(&[&first, &second], &contents()));
        for blob in opened.wim.blobs.iter().chain(&opened.wim.images) {
            opened.wim.check(&opened.bytes, blob).expect("a valid blob");
        }
        let used: u32 = opened.wim.blobs.iter().map(|blob| blob.reference_count).sum();
        let uses = |image: &Image| -> usize { image.walk().map(|(_, d)| d.blobs().count()).sum() };
        prop_assert_eq!(used as usize, uses(&first) + uses(&second));
        prop_assert!(opened.rewrite().0 == opened.bytes);
    }

    #[test]
    fn damaged_files_never_panic(
        image in any_image(),
        changes in changes(),
        cut in prop::option::of(any::<usize>()),
    ) {
        let mut bytes = write_raw(&[&image], &contents());
        damage(&mut bytes, &changes, cut);
        exercise(&bytes);
    }

    #[test]
    fn damaged_metadata_never_panics(
        image in any_image(),
        changes in changes(),
        cut in prop::option::of(any::<usize>()),
    ) {
        let mut bytes = encode_metadata(&image).expect("a valid image");
        damage(&mut bytes, &changes, cut);
        let _ = decode_metadata(&bytes);
    }

    #[test]
    fn decoders_take_any_bytes(
        input in prop::collection::vec(any::<u8>(), 0..600),
        size in 0..70_000_usize,
    ) {
        let mut output = vec![0; size];
        let _ = xpress::decode(&input, &mut output);
        let _ = lzx::decode(&input, &mut output, 1 << 15);
        let _ = lzx::decode(&input, &mut output, 1 << 21);
        let _ = lzx::decode(&input, &mut output, size as u32);
    }

    /// A valid code of two symbols gets further than random lengths do.
    #[test]
    fn xpress_symbols_take_any_bytes(
        stream in prop::collection::vec(any::<u8>(), 0..300),
        literal in 0..256_usize,
        other in 256..512_usize,
    ) {
        let mut input = vec![0; 256];
        for symbol in [literal, other] {
            input[symbol / 2] |= 1 << (4 * (symbol % 2));
        }
        input.extend(stream);
        let _ = xpress::decode(&input, &mut vec![0; 65536]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Compressed chunks, solid tables and integrity tables come from the samples.
    #[test]
    fn damaged_samples_never_panic(
        sample in 0..NAMES.len(),
        changes in changes(),
        cut in prop::option::weighted(0.1, any::<usize>()),
    ) {
        let Some(folder) = SAMPLES.with(Clone::clone) else { return Ok(()) };
        let mut bytes = fs::read(folder.join(format!("{}.wim", NAMES[sample]))).expect("a sample");
        damage(&mut bytes, &changes, cut);
        exercise(&bytes);
    }
}

const NAMES: [&str; 7] =
    ["LZX", "XPRESS", "BootLZX", "BootXPRESS", "MultiImage", "LZMS", "VerifyFail"];

thread_local! {
    /// Looked for once, so that their absence is told once.
    static SAMPLES: Option<std::path::PathBuf> = samples();
}
