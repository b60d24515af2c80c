//! LZMS against wimlib and 7-Zip: chunks of wimlib's solid resources are decoded to the blobs they
//! hold, and both decode solid resources of ours.

mod wim_support;

use std::fs;
use std::path::Path;
use std::rc::Rc;

use mediabuild_formats::codec::{Codec, Encoder, Level, lzms};
use mediabuild_formats::wim::{
    BlobEntry, Compression, Element, FileSpec, FileTime, Image, Options, OutputImage,
    ResourceHeader, Sha1, SolidResource, Wim, Writer, compress_solid,
};
use wim_support::{TempDir, emit, has_tool, run, samples};

/// Number of the codec in the header of a solid resource.
const FORMAT_LZMS: u32 = 3;

fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(*bytes[offset..].first_chunk().expect("four bytes"))
}

/// The uncompressed bytes of a solid resource.
fn decode_solid(bytes: &[u8], resource: &ResourceHeader) -> Vec<u8> {
    let start = resource.offset_bytes as usize;
    let stored = &bytes[start..start + resource.stored_bytes as usize];
    let size = u64::from_le_bytes(*stored.first_chunk().expect("a size")) as usize;
    assert_eq!(u32_at(stored, 12), FORMAT_LZMS);
    let chunk_bytes = u32_at(stored, 8) as usize;
    let (mut table, mut position) = (16, 16 + 4 * size.div_ceil(chunk_bytes));
    let mut output = vec![0; size];
    for chunk in output.chunks_mut(chunk_bytes) {
        let input = &stored[position..position + u32_at(stored, table) as usize];
        if input.len() == chunk.len() {
            chunk.copy_from_slice(input);
        } else {
            lzms::decode(input, chunk).expect("a valid chunk");
        }
        (table, position) = (table + 4, position + input.len());
    }
    assert_eq!(position, stored.len());
    output
}

/// Decodes all solid resources; returns how many blobs they held.
fn check_solid_blobs(wim: &Path) -> usize {
    let bytes = fs::read(wim).expect("a WIM");
    let wim = Wim::open(&bytes).expect("a WIM");
    let solid: Vec<u8> =
        wim.solid.iter().flat_map(|entry| decode_solid(&bytes, &entry.resource)).collect();
    let blobs: Vec<&BlobEntry> = wim.blobs.iter().filter(|blob| blob.is_solid()).collect();
    for blob in &blobs {
        let start = blob.resource.offset_bytes as usize;
        let content = &solid[start..start + blob.resource.stored_bytes as usize];
        assert_eq!(Sha1::of(content), blob.sha1, "at {start:#x}");
    }
    blobs.len()
}

/// Real binaries, if this machine has them, and data for delta matches.
fn make_tree(root: &Path) {
    fs::create_dir_all(root).expect("a folder");
    let counters: Vec<u8> = (0..100_000_u32).flat_map(|i| (i * 3 + 7).to_le_bytes()).collect();
    let wave = (0..200_000_i32).flat_map(|i| ((i % 300 - 150) * (i % 70) * 2).to_le_bytes());
    let lines: Vec<u8> =
        (0..90_000).flat_map(|i| format!("line {} of text\r\n", i % 977).into_bytes()).collect();
    fs::write(root.join("counters"), counters).expect("a file");
    fs::write(root.join("wave"), wave.collect::<Vec<u8>>()).expect("a file");
    fs::write(root.join("lines"), lines).expect("a file");
    for name in ["libc.so.6", "libstdc++.so.6", "wine/x86_64-windows/kernel32.dll"] {
        let binary = Path::new("/usr/lib/x86_64-linux-gnu").join(name);
        if let Ok(bytes) = fs::read(binary) {
            fs::write(root.join(name.rsplit('/').next().unwrap_or(name)), bytes).expect("a file");
        }
    }
}

#[test]
fn solid_resources_of_wimlib_are_decoded() {
    if !has_tool("wimlib-imagex") {
        return;
    }
    let temp = TempDir::new("lzms-peer");
    let (tree, wim) = (temp.join("tree"), temp.join("a.wim"));
    make_tree(&tree);
    for chunk_size in ["64M", "256K", "32K"] {
        let solid_chunk_size = format!("--solid-chunk-size={chunk_size}");
        run(
            "wimlib-imagex",
            [
                "capture".as_ref(),
                tree.as_os_str(),
                wim.as_os_str(),
                "--solid".as_ref(),
                solid_chunk_size.as_ref(),
                "--threads=1".as_ref(),
            ],
        );
        assert!(check_solid_blobs(&wim) >= 3, "{chunk_size}");
        fs::remove_file(&wim).expect("the capture");
    }
}

#[test]
fn the_sample_is_decoded() {
    let Some(folder) = samples() else { return };
    assert!(check_solid_blobs(&folder.join("LZMS.wim")) > 0);
}

/// A WIM with the contents of a folder's files in one solid resource.
fn write_solid(tree: &Path, chunk_bytes: u32, level: Level) -> Vec<u8> {
    let (time, mut plain, mut blobs) = (FileTime(133_000_000_000_000_000), Vec::new(), Vec::new());
    let mut image = Image::new(time);
    for entry in fs::read_dir(tree).expect("a folder") {
        let entry = entry.expect("an entry");
        let content = fs::read(entry.path()).expect("a file");
        let sha1 = Sha1::of(&content);
        let name = entry.file_name().into_string().expect("a name");
        image.insert_file(&name, FileSpec::new(sha1, time)).expect("a new file");
        blobs.push((sha1, content.len() as u64));
        plain.extend(content);
    }
    let mut encoder = Encoder::new(Codec::Lzms, chunk_bytes, level).expect("an encoder");
    let mut encode = |chunk: &[u8], output: &mut Vec<u8>| encoder.encode(chunk, output);
    let stored = compress_solid(&plain, Compression::Lzms, chunk_bytes, &mut encode);
    let stored = stored.expect("chunks");
    assert!(stored.len() < plain.len() / 2, "{chunk_bytes} {level:?}");
    let stored_bytes = stored.len() as u64;
    let solid = SolidResource::new(Rc::new(stored), stored_bytes, &blobs);
    let outputs = [OutputImage { image: &image, xml: Element::new("IMAGE") }];
    let compression = Compression::Lzms;
    let options = Options { compression, chunk_bytes: 1 << 17, ..Options::default() };
    let writer = Writer::new(&outputs, options).with_solid(vec![solid]);
    emit(&writer.place(&mut |_| None).expect("an output"))
}

#[test]
fn peers_decode_solid_resources_of_ours() {
    if !has_tool("wimlib-imagex") {
        return;
    }
    let temp = TempDir::new("lzms-ours");
    let (tree, wim) = (temp.join("tree"), temp.join("a.esd"));
    make_tree(&tree);
    for (chunk_bytes, level) in [
        (64 << 20, Level::Fast),
        (64 << 20, Level::Default),
        (64 << 20, Level::Max),
        (1 << 20, Level::Default),
        (32 << 10, Level::Default),
    ] {
        fs::write(&wim, write_solid(&tree, chunk_bytes, level)).expect("a file");
        assert!(check_solid_blobs(&wim) >= 3);
        run("wimlib-imagex", ["verify".as_ref(), wim.as_os_str()]);
        if has_tool("7zz") {
            run("7zz", ["t".as_ref(), wim.as_os_str()]);
        }
    }
}
