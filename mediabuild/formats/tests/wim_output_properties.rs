//! Random trees through every form of output: written, they read back equal, and peers take them.

mod wim_support;

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::rc::Rc;

use mediabuild_formats::codec::{Codec, Encoder, Level};
use mediabuild_formats::wim::{
    Compression, Element, Image, Integrity, Name, Options, OutputImage, Placed, Resource, Sha1,
    SolidResource, Wim, Writer, compress, compress_solid, part_name,
};
use proptest::prelude::*;
use wim_support::trees::{any_image, canonical_links, chunked, contents};
use wim_support::{Bytes, TempDir, emit, has_tool};

/// What an output may be.
#[derive(Debug, Clone)]
struct Form {
    compression: Compression,
    /// Which blobs are in which of some solid resources, by a number of the blob.
    solid: Vec<u8>,
    part_bytes: Option<u64>,
    integrity: bool,
    boots: bool,
}

fn form() -> impl Strategy<Value = Form> {
    let compression = prop::sample::select(vec![
        Compression::None,
        Compression::Xpress,
        Compression::Lzx,
        Compression::Lzms,
    ]);
    let solid = prop_oneof![Just(Vec::new()), prop::collection::vec(any::<u8>(), 1..4)];
    (compression, solid, prop::option::of(180_000..900_000_u64), any::<bool>(), any::<bool>())
        .prop_map(|(compression, solid, part_bytes, integrity, boots)| Form {
            compression,
            solid,
            part_bytes,
            integrity,
            boots,
        })
}

impl Form {
    fn options(&self) -> Options {
        let chunk_bytes = match self.compression {
            Compression::None => 0,
            Compression::Lzms => 1 << 17,
            Compression::Xpress | Compression::Lzx => 1 << 15,
        };
        Options {
            compression: self.compression,
            chunk_bytes,
            boot_index: u32::from(self.boots),
            rp_fix: self.boots,
            integrity: self.integrity,
        }
    }

    /// Without an encoder all chunks are raw, which is legal with any codec.
    fn encode(&self, chunk_bytes: u32, plain: &[u8], out: &mut Vec<u8>) -> bool {
        let codec = match self.compression {
            Compression::None => return false,
            Compression::Xpress => Codec::Xpress,
            Compression::Lzx => Codec::Lzx,
            Compression::Lzms => Codec::Lzms,
        };
        let encoder = Encoder::new(codec, chunk_bytes, Level::Fast);
        encoder.is_some_and(|mut encoder| encoder.encode(plain, out))
    }

    fn compress(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let chunk_bytes = self.options().chunk_bytes.max(1);
        let encode = &mut |plain: &[u8], out: &mut Vec<u8>| self.encode(chunk_bytes, plain, out);
        compress(plain, chunk_bytes, encode).expect("chunks")
    }

    fn resource(&self, plain: &Bytes) -> Resource<Bytes> {
        let size_bytes = plain.len() as u64;
        match self.compress(plain) {
            None => Resource::Raw { content: plain.clone(), size_bytes },
            Some(stored) => {
                let stored_bytes = stored.len() as u64;
                Resource::Stored { content: Rc::new(stored), stored_bytes, size_bytes }
            }
        }
    }

    /// Resources that may have blobs in common.
    fn solid(&self, contents: &BTreeMap<Sha1, Bytes>) -> Vec<SolidResource<Bytes>> {
        let resource = |chosen: &u8| {
            let numbered = contents.values().zip(0..8);
            let blobs: Vec<&Bytes> =
                numbered.filter(|(_, at)| chosen >> at & 1 != 0).map(|(blob, _)| blob).collect();
            let plain: Vec<u8> = blobs.iter().flat_map(|blob| blob.iter().copied()).collect();
            let encode = &mut |plain: &[u8], out: &mut Vec<u8>| self.encode(1 << 15, plain, out);
            let compressed = compress_solid(&plain, self.compression, 1 << 15, encode).ok()?;
            let named: Vec<(Sha1, u64)> =
                blobs.iter().map(|blob| (Sha1::of(blob), blob.len() as u64)).collect();
            let stored_bytes = compressed.len() as u64;
            Some(SolidResource::new(Rc::new(compressed), stored_bytes, &named))
        };
        self.solid.iter().filter_map(resource).collect()
    }

    /// The files of a set, or one; `None` if a part has no room for what cannot be divided.
    fn write(&self, images: &[&Image]) -> Option<Vec<Placed<Bytes>>> {
        let contents = contents(chunked);
        let outputs: Vec<OutputImage<'_>> =
            images.iter().map(|image| OutputImage { image, xml: Element::new("IMAGE") }).collect();
        let writer = Writer::new(&outputs, self.options())
            .with_solid(self.solid(&contents))
            .with_metadata(|plain| self.compress(plain));
        let resolve = &mut |sha1: &Sha1| Some(self.resource(contents.get(sha1)?));
        match self.part_bytes {
            None => Some(vec![writer.place(resolve).expect("an output")]),
            Some(part_bytes) => match writer.split(part_bytes, resolve) {
                Ok(parts) => Some(parts),
                Err(error) => {
                    let text = error.to_string();
                    assert!(text.contains("solid resource of"), "{text}");
                    None
                }
            },
        }
    }
}

/// Reads a set: its images, and every blob once, with its bytes checked.
fn read(files: &[Vec<u8>], form: &Form) -> (Vec<Image>, BTreeMap<Sha1, u32>) {
    let (mut images, mut blobs) = (Vec::new(), BTreeMap::new());
    for (bytes, number) in files.iter().zip(1..) {
        let wim = Wim::open(bytes).expect("a WIM");
        wim.check_layout().expect("no overlaps");
        assert_eq!(
            (wim.header.part_number, usize::from(wim.header.part_count)),
            (number, files.len())
        );
        let integrity = wim.integrity(bytes).expect("a valid table");
        assert_eq!(integrity != Integrity::Absent, form.integrity);
        for entry in wim.blobs.iter().chain(&wim.images) {
            wim.check(bytes, entry).expect("its hash");
        }
        for blob in &wim.blobs {
            assert!(blobs.insert(blob.sha1, blob.reference_count).is_none(), "{} twice", blob.sha1);
        }
        let read = |index| wim.image(bytes, index).expect("an image");
        images.extend((1..=wim.images.len()).map(read));
    }
    (images, blobs)
}

fn uses(images: &[&Image]) -> BTreeMap<Sha1, u32> {
    let mut uses = BTreeMap::new();
    for (_, dentry) in images.iter().flat_map(|image| image.walk()) {
        dentry.blobs().for_each(|sha1| *uses.entry(sha1).or_insert(0) += 1);
    }
    uses
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_written_is_read(
        first in any_image(chunked),
        second in any_image(chunked),
        form in form(),
    ) {
        let images = [&first, &second];
        let Some(parts) = form.write(&images) else { return Ok(()) };
        let files: Vec<Vec<u8>> = parts.iter().map(emit).collect();
        let (read, blobs) = read(&files, &form);
        let expected = images.map(canonical_links);
        prop_assert!(read.iter().map(canonical_links).eq(expected), "other images");
        prop_assert_eq!(blobs, uses(&images));
        if let Some(part_bytes) = form.part_bytes {
            prop_assert!(files.iter().all(|file| file.len() as u64 <= part_bytes));
        }
        let again: Vec<Vec<u8>> =
            form.write(&images).expect("the same parts").iter().map(emit).collect();
        prop_assert!(again == files, "other bytes for the same input");
    }
}

/// Without what 7-Zip refuses, and no file of Windows has: a short name of the root, and something in
/// the reserved field of a stream.
fn tame(mut image: Image) -> Image {
    image.root.short_name = Name::default();
    let mut pending = vec![&mut image.root];
    while let Some(dentry) = pending.pop() {
        dentry.streams.iter_mut().for_each(|stream| stream.reserved = 0);
        pending.extend(&mut dentry.children);
    }
    image
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// wimlib reads no solid sets.
    #[test]
    fn peers_take_what_is_written(image in any_image(chunked), form in form()) {
        let image = tame(image);
        if !has_tool("wimlib-imagex") || !has_tool("7zz") {
            return Ok(());
        }
        let Some(parts) = form.write(&[&image]) else { return Ok(()) };
        let temp = TempDir::new("wim-output-properties");
        for (part, number) in parts.iter().zip(1..) {
            fs::write(temp.join(&part_name("a.swm", number)), emit(part)).expect("a file");
        }
        let first = temp.join("a.swm");
        let run = |program: &str, arguments: &[&str]| {
            let output = Command::new(program)
                .args(&arguments[..1])
                .arg(&first)
                .args(&arguments[1..])
                .output()
                .expect("it runs");
            let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
            (output.status.success(), text.concat())
        };
        let is_solid = parts.iter().any(|part| !part.written().solid.is_empty());
        if !(is_solid && parts.len() > 1) {
            let reference = format!("--ref={}", temp.join("a*.swm").display());
            let (succeeded, text) = run("wimlib-imagex", &["verify", &reference]);
            prop_assert!(succeeded, "{}", text);
        }
        let (_, text) = run("7zz", &["t"]);
        prop_assert!(text.contains("Everything is Ok"), "{}", text);
    }
}
