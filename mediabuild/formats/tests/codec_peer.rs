//! What our encoders emit, wimlib and 7-Zip decode.

mod codec_inputs;
mod wim_support;

use std::collections::BTreeMap;
use std::fs;
use std::rc::Rc;

use codec_inputs::{Setting, adversarial, settings};
use mediabuild_formats::codec::Codec;
use mediabuild_formats::wim::{
    Compression, Element, FileSpec, FileTime, Image, Options, OutputImage, Resource, Sha1,
};
use wim_support::{Bytes, TempDir, has_tool, open, run, write_all};

/// Real programs, if this machine has them.
const BINARIES: [&str; 4] = [
    "/usr/lib/x86_64-linux-gnu/libc.so.6",
    "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
    "/usr/bin/perl",
    "/usr/bin/git",
];

/// Contents of more chunks than one, of a part of one, of all kinds at once.
fn contents(chunk_bytes: usize) -> Vec<Vec<u8>> {
    let mut contents = adversarial(chunk_bytes);
    contents.extend(adversarial(chunk_bytes / 3 + 1));
    contents.push(adversarial(chunk_bytes).concat());
    if chunk_bytes == 32768 {
        contents.extend(BINARIES.iter().filter_map(|path| fs::read(path).ok()));
    }
    contents
}

/// The stored form of a resource: offsets of all chunks but the first, then the chunks.
fn resource(setting: &Setting, content: &[u8]) -> Resource<Bytes> {
    let (mut encoder, mut table, mut chunks) = (setting.encoder(), Vec::new(), Vec::new());
    for (index, chunk) in content.chunks(setting.chunk_bytes as usize).enumerate() {
        if index > 0 {
            table.extend((chunks.len() as u32).to_le_bytes());
        }
        if !encoder.encode(chunk, &mut chunks) {
            chunks.extend_from_slice(chunk);
        }
    }
    table.extend(chunks);
    let size_bytes = content.len() as u64;
    if table.len() >= content.len() {
        return Resource::Raw { content: Rc::new(content.to_vec()), size_bytes };
    }
    let stored_bytes = table.len() as u64;
    Resource::Stored { content: Rc::new(table), stored_bytes, size_bytes }
}

fn write_wim(setting: &Setting, contents: &[Vec<u8>]) -> Vec<u8> {
    let time = FileTime(133_000_000_000_000_000);
    let (mut image, mut resources) = (Image::new(time), BTreeMap::new());
    for (index, content) in contents.iter().enumerate() {
        let sha1 = Sha1::of(content);
        image.insert_file(&format!("{index}"), FileSpec::new(sha1, time)).expect("a new file");
        resources.insert(sha1, resource(setting, content));
    }
    let compression = match setting.codec {
        Codec::Xpress => Compression::Xpress,
        Codec::Lzx => Compression::Lzx,
        Codec::Lzms => Compression::Lzms,
    };
    let chunk_bytes = setting.chunk_bytes;
    let options =
        Options { compression, chunk_bytes, boot_index: 0, rp_fix: true, integrity: false };
    let output = OutputImage { image: &image, xml: Element::new("IMAGE") };
    write_all(&[output], &options, |sha1| resources.get(sha1).cloned()).0
}

#[test]
fn peers_decode_what_we_encode() {
    if !has_tool("wimlib-imagex") {
        return;
    }
    let temp = TempDir::new("codec-peer");
    for setting in settings() {
        let contents = contents(setting.chunk_bytes as usize);
        let (wim, applied) = (temp.join("a.wim"), temp.join("applied"));
        fs::write(&wim, write_wim(&setting, &contents)).expect("a file");
        run("wimlib-imagex", ["verify".as_ref(), wim.as_os_str()]);
        let path = [wim.as_os_str(), "1".as_ref(), applied.as_os_str()];
        run("wimlib-imagex", ["apply".as_ref()].into_iter().chain(path));
        if has_tool("7zz") {
            run("7zz", ["t".as_ref(), wim.as_os_str()]);
        }
        let opened = open(fs::read(&wim).expect("the file"));
        for (index, content) in contents.iter().enumerate() {
            let theirs = fs::read(applied.join(index.to_string())).expect("an applied file");
            assert!(theirs == *content, "{setting:?}: file {index} differs");
            assert!(opened.content(&Sha1::of(content)) == *content, "{setting:?}: {index}");
        }
        fs::remove_dir_all(&applied).expect("the applied tree");
    }
}
