//! Outputs beyond the plain file: compressed metadata, integrity tables, split sets, solid
//! resources, additions to a base. Read back here, and by wimlib and 7-Zip.

mod wim_support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

use mediabuild_formats::wim::{
    Compression, Element, FileSpec, FileTime, Image, Integrity, Options, OutputImage, Placed,
    Resource, Sha1, SolidResource, Wim, Writer, compress, compress_solid, dump_image, header_flag,
    part_name, resource_flag,
};
use wim_support::{Bytes, TempDir, emit, encode_xpress, has_tool, open, run, xpress_options};

const TIME: FileTime = FileTime(133_000_000_000_000_000);

/// Files whose sizes go from none to many chunks; every third is mostly zeros.
struct Sample {
    image: Image,
    contents: BTreeMap<Sha1, Bytes>,
    files: BTreeMap<String, Bytes>,
}

fn sample() -> Sample {
    let mut state = 1_u32;
    let mut noise = |size: usize| -> Vec<u8> {
        let next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        std::iter::repeat_with(next).take(size).collect()
    };
    let mut sample =
        Sample { image: Image::new(TIME), contents: BTreeMap::new(), files: BTreeMap::new() };
    for number in 0..60_usize {
        let mut bytes = noise(number * number * 40);
        if number % 3 == 0 {
            bytes.iter_mut().filter(|byte| **byte > 30).for_each(|byte| *byte = 0);
        }
        let path = format!("folder{}/file{number}.bin", number % 7);
        let content = Rc::new(bytes);
        let sha1 = if content.is_empty() { Sha1::ZERO } else { Sha1::of(&content) };
        sample.image.insert_file(&path, FileSpec::new(sha1, TIME)).expect("a new file");
        sample.files.insert(path, content.clone());
        sample.contents.insert(sha1, content);
    }
    sample
}

impl Sample {
    fn outputs(&self) -> [OutputImage<'_>; 2] {
        [1, 2].map(|_| OutputImage { image: &self.image, xml: Element::default() })
    }

    fn raw(&self, sha1: &Sha1) -> Option<Resource<Bytes>> {
        let content = self.contents.get(sha1)?.clone();
        let size_bytes = content.len() as u64;
        Some(Resource::Raw { content, size_bytes })
    }

    /// Compressed, where that helps.
    fn xpress(&self, sha1: &Sha1) -> Option<Resource<Bytes>> {
        let plain = self.contents.get(sha1)?;
        let stored = compress(plain, 1 << 15, &mut encode_xpress).expect("chunks");
        let Some(stored) = stored else { return self.raw(sha1) };
        Some(Resource::Stored {
            stored_bytes: stored.len() as u64,
            content: Rc::new(stored),
            size_bytes: plain.len() as u64,
        })
    }

    /// A solid resource of some of the files.
    fn solid(
        &self,
        compression: Compression,
        wanted: impl Fn(usize) -> bool,
    ) -> SolidResource<Bytes> {
        let files =
            self.files.values().enumerate().filter(|(at, file)| wanted(*at) && !file.is_empty());
        let files: Vec<&Bytes> = files.map(|(_, file)| file).collect();
        let plain: Vec<u8> = files.iter().flat_map(|file| file.iter().copied()).collect();
        let chunk_bytes = 1 << 15;
        let stored = match compression {
            Compression::Xpress => {
                compress_solid(&plain, compression, chunk_bytes, &mut encode_xpress)
            }
            // Chunks that do not become smaller are legal with any codec.
            _ => compress_solid(&plain, compression, chunk_bytes, &mut |_, _| false),
        };
        let stored = stored.expect("chunks");
        let blobs: Vec<(Sha1, u64)> =
            files.iter().map(|file| (Sha1::of(file), file.len() as u64)).collect();
        SolidResource::new(Rc::new(stored.clone()), stored.len() as u64, &blobs)
    }
}

fn compress_metadata(plain: &[u8]) -> Option<Vec<u8>> {
    compress(plain, 1 << 15, &mut encode_xpress).expect("chunks")
}

/// Writes a set as files; returns the first.
fn save(temp: &TempDir, name: &str, parts: &[Placed<Bytes>]) -> PathBuf {
    for (part, number) in parts.iter().zip(1..) {
        fs::write(temp.join(&part_name(name, number)), emit(part)).expect("a file");
    }
    temp.join(name)
}

/// 7-Zip, if it is there, finds every file's hash right. It warns of all split sets, whoever wrote
/// them, as it takes the first part for longer than it should be, so its exit code says nothing.
fn tested_by_7zip(file: &Path) -> bool {
    if !has_tool("7zz") {
        return false;
    }
    let output = Command::new("7zz").arg("t").arg(file).output().expect("7zz runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("Everything is Ok"),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    true
}

/// wimlib verifies and applies it to equal files, 7-Zip tests it; `reference` finds the other files.
fn accepted(temp: &TempDir, file: &Path, reference: Option<&str>, sample: &Sample) {
    tested_by_7zip(file);
    if !has_tool("wimlib-imagex") {
        return;
    }
    let reference: Vec<String> =
        reference.map(|glob| format!("--ref={}", temp.join(glob).display())).into_iter().collect();
    let mut verify = vec!["verify".to_owned(), file.display().to_string()];
    verify.extend(reference.clone());
    run("wimlib-imagex", verify);
    let applied = temp.join("applied");
    let mut apply = ["apply", &file.display().to_string(), "2", &applied.display().to_string()]
        .map(str::to_owned)
        .to_vec();
    apply.extend(reference);
    run("wimlib-imagex", apply);
    for (path, bytes) in &sample.files {
        assert!(fs::read(applied.join(path)).expect("a file") == **bytes, "{path}");
    }
    fs::remove_dir_all(&applied).expect("the applied tree");
}

#[test]
fn metadata_is_compressed_if_that_helps() {
    let sample = sample();
    let options = Options { boot_index: 2, ..xpress_options() };
    let outputs = sample.outputs();
    let plain = Writer::new(&outputs, options).place(&mut |sha1| sample.xpress(sha1));
    let writer = Writer::new(&outputs, options).with_metadata(compress_metadata);
    let placed = writer.place(&mut |sha1| sample.xpress(sha1)).expect("an output");
    let opened = open(emit(&placed));
    for (entry, image) in opened.wim.images.iter().zip(&opened.images) {
        assert_eq!(entry.resource.flags, resource_flag::METADATA | resource_flag::COMPRESSED);
        assert!(entry.resource.stored_bytes < entry.resource.size_bytes);
        assert!(dump_image(image) == dump_image(&sample.image));
        opened.wim.check(&opened.bytes, entry).expect("its hash");
    }
    assert_eq!(opened.wim.header.boot_metadata, opened.wim.images[1].resource);
    assert!(opened.wim.blobs.iter().any(|blob| blob.resource.has(resource_flag::COMPRESSED)));
    for sha1 in sample.contents.keys() {
        opened.content(sha1);
    }
    let longer = Writer::new(&outputs, options).with_metadata(|plain| Some(plain.to_vec()));
    let longer = longer.place(&mut |sha1| sample.xpress(sha1)).expect("an output");
    assert!(emit(&longer) == emit(&plain.expect("an output")), "as long is not smaller");
    let temp = TempDir::new("wim-metadata");
    accepted(&temp, &save(&temp, "a.wim", &[placed]), None, &sample);
}

#[test]
fn integrity_tables_are_ours_to_write() {
    let sample = sample();
    let options = Options { integrity: true, ..xpress_options() };
    let placed = Writer::new(&sample.outputs(), options)
        .place(&mut |sha1| sample.raw(sha1))
        .expect("an output");
    let mut opened = open(emit(&placed));
    let end = opened.wim.header.xml.offset_bytes;
    assert_eq!(placed.covered(), Some(208..end));
    let integrity = opened.wim.integrity(&opened.bytes).expect("a valid table");
    assert_eq!(integrity, Integrity::Valid { covered_bytes: end - 208 });
    let temp = TempDir::new("wim-integrity-write");
    let file = save(&temp, "a.wim", &[placed]);
    accepted(&temp, &file, None, &sample);
    if has_tool("wimlib-imagex") {
        let info = run("wimlib-imagex", ["info".as_ref(), file.as_os_str(), "--check".as_ref()]);
        assert!(info.contains("Integrity info"), "{info}");
    }
    opened.bytes[300] ^= 1;
    opened.wim.integrity(&opened.bytes).expect_err("a changed byte");
}

fn split(sample: &Sample, part_bytes: u64, options: Options) -> Vec<Placed<Bytes>> {
    let outputs = sample.outputs();
    let writer = Writer::new(&outputs, options).with_metadata(compress_metadata);
    writer.split(part_bytes, &mut |sha1| sample.xpress(sha1)).expect("parts")
}

#[test]
fn split_sets_hold_every_blob_once() {
    const PART_BYTES: u64 = 200_000;
    let sample = sample();
    let options = Options { boot_index: 1, integrity: true, ..xpress_options() };
    let parts = split(&sample, PART_BYTES, options);
    assert!(parts.len() > 5, "{} parts", parts.len());
    let opened: Vec<(Vec<u8>, Wim)> = parts
        .iter()
        .map(|part| {
            let bytes = emit(part);
            let wim = Wim::open(&bytes).expect("a part");
            (bytes, wim)
        })
        .collect();
    let (_, first) = &opened[0];
    let mut found = BTreeMap::new();
    for ((bytes, wim), number) in opened.iter().zip(1..) {
        assert!(bytes.len() as u64 <= PART_BYTES);
        let header = &wim.header;
        assert_eq!((header.part_number, usize::from(header.part_count)), (number, parts.len()));
        assert_eq!((header.guid, header.image_count), (first.header.guid, 2));
        assert_eq!(header.flags & header_flag::SPANNED, header_flag::SPANNED);
        assert_eq!((header.boot_index, header.boot_metadata.stored_bytes), (0, 0));
        assert_eq!(wim.images.len(), if number == 1 { 2 } else { 0 });
        assert_eq!(wim.xml, first.xml);
        assert!(matches!(wim.integrity(bytes), Ok(Integrity::Valid { .. })));
        for blob in &wim.blobs {
            wim.check(bytes, blob).expect("its hash");
            assert!(found.insert(blob.sha1, blob.reference_count).is_none());
        }
    }
    let expected = sample.contents.keys().filter(|sha1| !sha1.is_empty_stream());
    assert!(found.keys().eq(expected));
    assert!(found.values().all(|count| *count == 2));
    let image = first.image(&opened[0].0, 2).expect("an image");
    assert!(dump_image(&image) == dump_image(&sample.image));
    let temp = TempDir::new("wim-split");
    accepted(&temp, &save(&temp, "a.swm", &parts), Some("a*.swm"), &sample);
}

#[test]
fn what_fits_into_one_part_is_whole() {
    let sample = sample();
    let options = Options { boot_index: 1, ..xpress_options() };
    let parts = split(&sample, 1 << 30, options);
    assert_eq!(parts.len(), 1);
    let header = &parts[0].written().header;
    assert_eq!((header.part_count, header.boot_index), (1, 1));
    assert_eq!(header.flags & header_flag::SPANNED, 0);
    let size = parts[0].written().size_bytes;
    assert_eq!(split(&sample, size, options).len(), 1);
    assert_eq!(split(&sample, size - 1, options).len(), 2);
    // Parts of sets that are split differently do not fit together.
    let guid = |part_bytes| split(&sample, part_bytes, options)[0].written().header.guid;
    assert_ne!(guid(size - 1), guid(size - 2));
}

#[test]
fn what_no_part_has_room_for_is_named() {
    let sample = sample();
    let error = |part_bytes| {
        let outputs = sample.outputs();
        let writer = Writer::new(&outputs, xpress_options());
        let parts = writer.split(part_bytes, &mut |sha1| sample.raw(sha1));
        parts.map(|parts| parts.len()).expect_err("no room").to_string()
    };
    assert_eq!(
        error(100_000),
        "`folder0/file56.bin`: is stored in 125440 bytes, more than a part of at most 100000 bytes \
         has room for, and is never divided: use larger parts, or leave it out of the image"
    );
    let message = error(9_000);
    assert!(message.contains("must be in the first part"), "{message}");
    error(0);
}

/// Two layers, some files raw, in the order that readers demand.
fn solid_writer<'a>(
    sample: &Sample,
    outputs: &'a [OutputImage<'a>],
    compression: Compression,
) -> Writer<'a, Bytes> {
    let options = match compression {
        Compression::Lzms => Options { compression, chunk_bytes: 1 << 17, ..Options::default() },
        _ => xpress_options(),
    };
    let layers = [(0, 4), (4, 8), (2, 3)]
        .map(|(from, to)| sample.solid(compression, move |at| from <= at % 9 && at % 9 < to));
    Writer::new(outputs, options).with_solid(layers.to_vec())
}

#[test]
fn solid_resources_are_named_with_their_blobs() {
    let sample = sample();
    let outputs = sample.outputs();
    let temp = TempDir::new("wim-solid");
    for compression in [Compression::Xpress, Compression::Lzms] {
        let writer = solid_writer(&sample, &outputs, compression);
        let placed = writer.place(&mut |sha1| sample.raw(sha1)).expect("an output");
        let written = placed.written();
        assert_eq!(written.header.version, 0xe00);
        assert_eq!(written.solid.len(), 2, "the third has nothing that the first has not");
        let solid = written.blobs.iter().filter(|blob| blob.is_solid());
        let mut end = 0;
        for blob in solid {
            assert_eq!(blob.resource.offset_bytes, end);
            assert_eq!(blob.reference_count, 2);
            end += blob.resource.stored_bytes;
        }
        assert!(written.blobs.iter().any(|blob| !blob.is_solid()));
        let count = sample.contents.keys().filter(|sha1| !sha1.is_empty_stream()).count();
        assert_eq!(written.blobs.len(), count);
        accepted(&temp, &save(&temp, "a.esd", &[placed]), None, &sample);
    }
}

#[test]
fn solid_sets_split_between_resources() {
    let sample = sample();
    let outputs = sample.outputs();
    let temp = TempDir::new("wim-solid-split");
    let writer = solid_writer(&sample, &outputs, Compression::Lzms);
    let parts = writer.split(2_100_000, &mut |sha1| sample.raw(sha1)).expect("parts");
    assert_eq!(parts.len(), 2);
    let solid: Vec<usize> = parts.iter().map(|part| part.written().solid.len()).collect();
    assert_eq!(solid.iter().sum::<usize>(), 2);
    for part in &parts {
        let first = part.written().blobs.iter().find(|blob| blob.is_solid());
        assert!(first.is_none_or(|blob| blob.resource.offset_bytes == 0), "each part counts anew");
    }
    let first = save(&temp, "a.swm", &parts);
    if tested_by_7zip(&first) {
        let target = temp.join("extracted");
        let arguments = ["x".to_owned(), first.display().to_string()];
        let target_argument = [format!("-o{}", target.display())];
        let _ = Command::new("7zz").args(arguments.into_iter().chain(target_argument)).output();
        for (path, bytes) in &sample.files {
            assert!(fs::read(target.join("1").join(path)).expect("a file") == **bytes, "{path}");
        }
    }
    let writer = solid_writer(&sample, &outputs, Compression::Lzms);
    let error = writer.split(200_000, &mut |sha1| sample.raw(sha1)).expect_err("no room");
    assert!(error.to_string().contains("contents in a solid resource of"), "{error}");
}

#[test]
fn wrong_solid_resources_are_errors() {
    let sample = sample();
    let outputs = sample.outputs();
    let refusal = |change: &dyn Fn(&mut SolidResource<Bytes>)| {
        let mut solid = sample.solid(Compression::Lzms, |at| at < 9);
        change(&mut solid);
        let writer = Writer::new(&outputs, xpress_options()).with_solid(vec![solid]);
        writer.place(&mut |sha1| sample.raw(sha1)).expect_err("a refusal").to_string()
    };
    let texts = [
        refusal(&|solid| solid.blobs[1].offset_bytes -= 1),
        refusal(&|solid| solid.blobs[1].size_bytes = u64::MAX),
        refusal(&|solid| solid.blobs[1].size_bytes = 0),
        refusal(&|solid| solid.size_bytes -= 1),
    ];
    assert!(texts.iter().all(|text| text.contains("of a solid resource of")), "{texts:#?}");
    let solid = vec![sample.solid(Compression::Lzms, |at| at < 9)];
    let writer = Writer::new(&outputs, Options::default()).with_solid(solid);
    let error = writer.place(&mut |sha1| sample.raw(sha1)).expect_err("no codec").to_string();
    assert_eq!(error, "an output with solid resources has a codec");
}

#[test]
fn blobs_of_the_base_are_left_out() {
    let sample = sample();
    let base = Writer::new(&sample.outputs(), xpress_options())
        .place(&mut |sha1| sample.raw(sha1))
        .expect("a base");
    let in_base = |sha1: &Sha1| base.written().blobs.iter().find(|blob| blob.sha1 == *sha1);
    let mut changed = self::sample();
    let content: Bytes = Rc::new(b"new".to_vec());
    let sha1 = Sha1::of(&content);
    changed.image.insert_file("folder1/new", FileSpec::new(sha1, TIME)).expect("a new file");
    changed.contents.insert(sha1, content.clone());
    changed.files.insert("folder1/new".to_owned(), content);
    let addition = Writer::new(&changed.outputs(), xpress_options())
        .place(&mut |sha1| match in_base(sha1) {
            Some(blob) => Some(Resource::InBase { size_bytes: blob.size_bytes() }),
            None => changed.raw(sha1),
        })
        .expect("an addition");
    assert_eq!(addition.written().blobs.len(), 1);
    let sizes: u64 = changed.files.values().map(|file| file.len() as u64).sum();
    assert_eq!(addition.written().counts[0].total_bytes, sizes);
    let temp = TempDir::new("wim-delta");
    save(&temp, "base.wim", &[base]);
    let file = save(&temp, "addition.wim", &[addition]);
    if has_tool("wimlib-imagex") {
        let reference = format!("--ref={}", temp.join("base.wim").display());
        let target = temp.join("applied");
        run(
            "wimlib-imagex",
            [
                "apply".as_ref(),
                file.as_os_str(),
                "1".as_ref(),
                target.as_os_str(),
                reference.as_ref(),
            ],
        );
        for (path, bytes) in &changed.files {
            assert!(fs::read(target.join(path)).expect("a file") == **bytes, "{path}");
        }
    }
}
