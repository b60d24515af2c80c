//! WIM against wimlib and 7-Zip: what they write we read, what we write they accept.

mod wim_support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::rc::Rc;

use mediabuild_formats::wim::{
    Dentry, FileSpec, FileTime, Image, Integrity, Name, NamedStream, Reparse, Sha1, attribute,
    dump_image,
};
use proptest::option;
use proptest::prelude::any;
use proptest::test_runner::{Config, TestRunner};
use wim_support::exercise::{changes, damage, exercise};
use wim_support::{Opened, TempDir, has_tool, open, run, write_raw};

/// Real binaries, if this machine has them: the x86 filter and deep Huffman codes need them.
const BINARIES: [&str; 4] = [
    "/usr/lib/x86_64-linux-gnu/libc.so.6",
    "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
    "/usr/lib/x86_64-linux-gnu/wine/x86_64-windows/kernel32.dll",
    "/usr/lib/x86_64-linux-gnu/wine/x86_64-windows/acledit.dll",
];

/// Files of every shape: empty, one byte, a chunk and its neighbours, many chunks, links.
fn make_tree(root: &Path) {
    fs::create_dir_all(root.join("sub/deep/empty")).expect("folders");
    let noise: Vec<u8> = (0..200_000_u32)
        .scan(1_u32, |state, _| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some((*state >> 24) as u8)
        })
        .collect();
    let text: Vec<u8> =
        (0..40_000).flat_map(|i| format!("line {} of text\r\n", i % 977).into_bytes()).collect();
    for size in [0, 1, 4095, 32767, 32768, 32769, 65536, 65537] {
        fs::write(root.join(format!("text{size}")), &text[..size]).expect("a file");
    }
    fs::write(root.join("sub/all.TXT"), &text).expect("a file");
    fs::write(root.join("sub/noise.bin"), &noise).expect("a file");
    fs::write(root.join("sub/zeros"), vec![0; 300_000]).expect("a file");
    let mixed: Vec<u8> = noise[..40_000].iter().chain(&text[..100_000]).copied().collect();
    fs::write(root.join("sub/deep/mixed"), mixed).expect("a file");
    fs::write(root.join("Größe__x"), b"umlaut").expect("a file");
    fs::hard_link(root.join("sub/all.TXT"), root.join("sub/deep/link")).expect("a link");
    fs::hard_link(root.join("text0"), root.join("sub/empty-link")).expect("a link");
    symlink("sub/all.TXT", root.join("to-file")).expect("a symbolic link");
    symlink("sub", root.join("to-folder")).expect("a symbolic link");
    for (index, binary) in BINARIES.iter().enumerate() {
        if let Ok(bytes) = fs::read(binary) {
            fs::write(root.join(format!("binary{index}")), bytes).expect("a file");
        }
    }
}

fn capture(tree: &Path, wim: &Path, compress: &str, chunk: &str) {
    let mut arguments = vec![
        "capture".into(),
        tree.display().to_string(),
        wim.display().to_string(),
        "first".into(),
        format!("--compress={compress}"),
        "--threads=1".into(),
    ];
    if !chunk.is_empty() {
        arguments.push(format!("--chunk-size={chunk}"));
    }
    run("wimlib-imagex", arguments);
}

/// Regular files below a folder by path, as the file system has them.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let kind = fs::symlink_metadata(&path).expect("a file").file_type();
            let name = path.strip_prefix(root).expect("below").display().to_string();
            if kind.is_dir() {
                collect(root, &path, files);
            } else if kind.is_file() {
                files.insert(name, fs::read(&path).expect("a file"));
            } else {
                let target = fs::read_link(&path).expect("a link");
                files.insert(name, target.into_os_string().into_encoded_bytes());
            }
        }
    }
    let mut found = BTreeMap::new();
    collect(root, root, &mut found);
    found
}

/// Regular files of an image by path, as our reader has them.
fn image_files(opened: &Opened, image: usize) -> BTreeMap<String, Vec<u8>> {
    opened.images[image]
        .walk()
        .filter(|(_, dentry)| {
            dentry.attributes & (attribute::DIRECTORY | attribute::REPARSE_POINT) == 0
        })
        .map(|(path, dentry)| (path, opened.content(&dentry.data)))
        .collect()
}

/// What wimlib says about an image, without places in the file and link numbers.
fn details(wim: &Path, image: usize) -> String {
    let text = run(
        "wimlib-imagex",
        ["dir".as_ref(), wim.as_os_str(), image.to_string().as_ref(), "--detailed".as_ref()],
    );
    let volatile = ["Offset in WIM", "Link Group ID", "Compressed size", "Flags "];
    text.lines()
        .filter(|line| !volatile.iter().any(|field| line.trim_start().starts_with(field)))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// The XML elements that count things, as wimlib wrote them.
fn counted(opened: &Opened, image: usize) -> Vec<Option<String>> {
    let element = opened.wim.xml.image(image).expect("an IMAGE element");
    ["DIRCOUNT", "FILECOUNT", "TOTALBYTES", "HARDLINKBYTES"].map(|name| element.text(name)).to_vec()
}

fn accepted_by_peers(wim: &Path) {
    run("wimlib-imagex", ["verify".as_ref(), wim.as_os_str()]);
    if has_tool("7zz") {
        run("7zz", ["t".as_ref(), wim.as_os_str()]);
    }
}

#[test]
fn captured_trees_are_read_and_rewritten() {
    if !has_tool("wimlib-imagex") {
        return;
    }
    let temp = TempDir::new("wim-peer");
    let (first, second) = (temp.join("first"), temp.join("second"));
    make_tree(&first);
    fs::create_dir_all(second.join("other")).expect("a folder");
    fs::write(second.join("other/shared"), fs::read(first.join("sub/all.TXT")).expect("a file"))
        .expect("a file");
    let variants = [
        ("none", ""),
        ("XPRESS", "4096"),
        ("XPRESS", "32768"),
        ("XPRESS", "65536"),
        ("XPRESS:80", ""),
        ("LZX", "32768"),
        ("LZX:20", ""),
        ("LZX", "131072"),
        ("LZX", "2M"),
        ("LZMS", "32768"),
        ("LZMS", ""),
        ("LZMS", "1M"),
    ];
    for (compress, chunk) in variants {
        let wim = temp.join("captured.wim");
        capture(&first, &wim, compress, chunk);
        run(
            "wimlib-imagex",
            ["append".as_ref(), second.as_os_str(), wim.as_os_str(), "second".as_ref()],
        );
        check_captured(&temp, &wim, &[&first, &second], &format!("{compress} {chunk}"));
        fs::remove_file(&wim).expect("the capture");
    }
}

/// Reads what wimlib captured, rewrites it, and compares what wimlib makes of the result.
fn check_captured(temp: &TempDir, captured: &Path, trees: &[&Path], variant: &str) {
    let opened = open(fs::read(captured).expect("the capture"));
    for entry in opened.wim.blobs.iter().chain(&opened.wim.images) {
        opened.wim.check(&opened.bytes, entry).unwrap_or_else(|error| panic!("{variant}: {error}"));
    }
    assert!(opened.check_by_units() > opened.wim.images.len(), "{variant}");
    for (image, tree) in trees.iter().enumerate() {
        let mut expected = files(tree);
        expected.retain(|path, _| !path.starts_with("to-"));
        assert_eq!(image_files(&opened, image).len(), expected.len(), "{variant}");
        assert!(image_files(&opened, image) == expected, "{variant}: other contents");
    }
    // Microsoft's readers know LZX chunks of 32 KiB only, so our writer refuses others; it has no
    // LZMS outputs.
    let is_refused = variant.starts_with("LZMS")
        || variant.starts_with("LZX") && opened.wim.header.chunk_bytes != 32768;
    let (bytes, written) = if is_refused { opened.rewrite_raw() } else { opened.rewrite() };
    let rewritten = temp.join("rewritten.wim");
    fs::write(&rewritten, &bytes).expect("a file");
    accepted_by_peers(&rewritten);
    let again = open(bytes);
    for (index, tree) in (1..).zip(trees) {
        assert_eq!(details(&rewritten, index), details(captured, index), "{variant}");
        assert_eq!(counted(&again, index), counted(&opened, index), "{variant}");
        let applied = temp.join("applied");
        run(
            "wimlib-imagex",
            [
                "apply".as_ref(),
                rewritten.as_os_str(),
                index.to_string().as_ref(),
                applied.as_os_str(),
            ],
        );
        assert!(files(&applied) == files(tree), "{variant}: applied differently");
        fs::remove_dir_all(&applied).expect("the applied tree");
    }
    assert_eq!(written.images.len(), trees.len());
    let once_more = if is_refused { again.rewrite_raw() } else { again.rewrite() };
    assert!(again.bytes == once_more.0, "{variant}: rewriting is not idempotent");
}

/// What captures of a Unix tree do not have: streams, junctions, descriptors, equal images.
#[test]
fn trees_of_windows_are_accepted() {
    if !has_tool("wimlib-imagex") {
        return;
    }
    let temp = TempDir::new("wim-windows");
    let (time, mut contents) = (FileTime(133_000_000_000_000_000), BTreeMap::new());
    let mut add = |text: &str| {
        let sha1 = Sha1::of(text.as_bytes());
        contents.insert(sha1, Rc::new(text.as_bytes().to_vec()));
        sha1
    };
    let stream = |name: &str, sha1| NamedStream { name: Name::from(name), reserved: 0, sha1 };
    let reparse = |tag, sha1| Some(Reparse { tag, reserved: 0, flags: 0, sha1 });
    let mut image = Image::new(time);
    let (data, ads) = (add("data"), add("alternate"));
    for name in ["a", "B", "folder/with streams", "folder/empty with streams", "wof"] {
        let sha1 = if name.contains("empty") { Sha1::ZERO } else { data };
        image.insert_file(name, FileSpec::new(sha1, time)).expect("a new file");
        let file = image.lookup_mut(name).expect("the file");
        file.short_name = Name::from(name.replace(' ', "").get(..1).unwrap_or_default());
        if name.contains("streams") {
            file.streams = vec![stream("one", ads), stream("two", Sha1::ZERO)];
        }
    }
    image.lookup_mut("folder").expect("the folder").streams = vec![stream("one", ads)];
    let wof = image.lookup_mut("wof").expect("the file");
    wof.attributes |= attribute::REPARSE_POINT;
    wof.reparse = reparse(0x8000_0017, add("provider"));
    let mut junction = Dentry::folder(Name::from("junction"), time);
    junction.attributes |= attribute::REPARSE_POINT;
    junction.reparse = reparse(0xa000_0003, add("\0\0\x04\0\x06\0\x04\0C\0:\0\0\0C\0:\0\0\0"));
    image.root.children.push(junction);
    let written = write_raw(&[&image, &image], &contents);
    let (ours, theirs) = (temp.join("ours.wim"), temp.join("theirs.wim"));
    fs::write(&ours, &written).expect("a file");
    accepted_by_peers(&ours);
    run(
        "wimlib-imagex",
        [
            "export".as_ref(),
            ours.as_os_str(),
            "all".as_ref(),
            theirs.as_os_str(),
            "--compress=LZX".as_ref(),
        ],
    );
    let path = theirs;
    let (ours, theirs) = (open(written), open(fs::read(&path).expect("the export")));
    assert_eq!(theirs.images, ours.images);
    let references = |opened: &Opened| {
        let entries = opened.wim.blobs.iter().map(|blob| (blob.sha1, blob.reference_count));
        entries.collect::<BTreeMap<_, _>>()
    };
    assert_eq!(references(&theirs), references(&ours));
    // An update makes wimlib write the metadata anew, in its own placement of streams.
    run(
        "wimlib-imagex",
        ["update".as_ref(), path.as_os_str(), "1".as_ref(), "--command=delete /B".as_ref()],
    );
    let mut updated = open(fs::read(&path).expect("the update"));
    image.remove("B").expect("the file");
    let [expected, found] = [&image, &updated.images.remove(0)].map(dump_image);
    assert_eq!(found, expected);
}

#[test]
fn integrity_tables_of_wimlib_are_checked() {
    if !has_tool("wimlib-imagex") {
        return;
    }
    let temp = TempDir::new("wim-integrity");
    let (tree, wim) = (temp.join("tree"), temp.join("a.wim"));
    fs::create_dir(&tree).expect("a folder");
    fs::write(tree.join("file"), vec![7; 100_000]).expect("a file");
    run(
        "wimlib-imagex",
        [
            "capture".as_ref(),
            tree.as_os_str(),
            wim.as_os_str(),
            "--compress=none".as_ref(),
            "--check".as_ref(),
        ],
    );
    let mut opened = open(fs::read(&wim).expect("the capture"));
    let integrity = opened.wim.integrity(&opened.bytes).expect("a valid table");
    assert!(matches!(integrity, Integrity::Valid { covered_bytes } if covered_bytes > 100_000));
    opened.bytes[300] ^= 1;
    let error = opened.wim.integrity(&opened.bytes).expect_err("a changed byte").to_string();
    assert!(error.starts_with("integrity: bytes 0xd0.."), "{error}");
}

/// A chunk table longer than what a reader holds of it at once.
#[test]
fn long_chunk_tables_are_read_in_pieces() {
    if !has_tool("wimlib-imagex") {
        return;
    }
    let temp = TempDir::new("wim-table");
    let (tree, wim) = (temp.join("tree"), temp.join("a.wim"));
    fs::create_dir(&tree).expect("a folder");
    let content: Vec<u8> = (0..9_000_u32).flat_map(|i| i.to_le_bytes().repeat(500)).collect();
    fs::write(tree.join("file"), &content).expect("a file");
    capture(&tree, &wim, "XPRESS", "4096");
    let opened = open(fs::read(&wim).expect("the capture"));
    assert!(content.len() / 4096 > 4096);
    assert!(opened.content(&Sha1::of(&content)) == content);
}

/// Blobs in solid resources, of which several chunks hold one blob and one chunk several blobs.
#[test]
fn solid_captures_are_read() {
    if !has_tool("wimlib-imagex") {
        return;
    }
    let temp = TempDir::new("wim-solid");
    let (first, second) = (temp.join("first"), temp.join("second"));
    make_tree(&first);
    fs::create_dir(&second).expect("a folder");
    fs::write(second.join("other"), vec![3; 100_000]).expect("a file");
    let codecs = [
        ("XPRESS", "32768"),
        ("XPRESS", "4096"),
        ("LZX", "32768"),
        ("LZX", "2M"),
        ("LZMS", "32768"),
        ("LZMS", "64M"),
    ];
    for (codec, chunk) in codecs {
        let wim = temp.join("solid.wim");
        let solid = format!("--solid-compress={codec} --solid-chunk-size={chunk} --threads=1");
        // Metadata is never solid.
        for (verb, tree, compress) in
            [("capture", &first, "--compress=XPRESS"), ("append", &second, "--nocheck")]
        {
            let paths = [verb.into(), tree.display().to_string(), wim.display().to_string()];
            let options = ["--solid", compress].into_iter().chain(solid.split(' '));
            let name = verb.to_owned();
            run("wimlib-imagex", paths.into_iter().chain([name]).chain(options.map(str::to_owned)));
        }
        let opened = open(fs::read(&wim).expect("the capture"));
        assert!(opened.wim.blobs.iter().all(|blob| blob.is_solid()), "{codec} {chunk}");
        assert_eq!(opened.wim.solid.len(), 2, "one resource for each tree");
        assert!(opened.check_by_units() > opened.wim.images.len(), "{codec} {chunk}");
        for (image, tree) in [&first, &second].into_iter().enumerate() {
            let mut expected = files(tree);
            expected.retain(|path, _| !path.starts_with("to-"));
            assert!(image_files(&opened, image) == expected, "{codec} {chunk}");
        }
        fs::remove_file(&wim).expect("the capture");
    }
}

/// Every kind of file that wimlib writes, damaged at random: errors, never panics.
#[test]
fn damaged_captures_never_panic() {
    if !has_tool("wimlib-imagex") {
        return;
    }
    let temp = TempDir::new("wim-damaged");
    let tree = temp.join("tree");
    fs::create_dir_all(tree.join("sub")).expect("folders");
    let text: Vec<u8> =
        (0..3_000).flat_map(|i| format!("line {i} of text\r\n").into_bytes()).collect();
    for (name, size) in [("a", 100), ("b", 5_000), ("sub/c", 50_000)] {
        fs::write(tree.join(name), &text[text.len() - size..]).expect("a file");
    }
    symlink("a", tree.join("sub/link")).expect("a symbolic link");
    let variants = [
        "--pipable --compress=none",
        "--pipable --compress=XPRESS --chunk-size=4096 --check",
        "--pipable --compress=LZX",
        "--compress=LZMS --chunk-size=32768",
        "--solid --solid-compress=XPRESS --solid-chunk-size=4096",
        "--solid --solid-compress=LZX --solid-chunk-size=32768",
        "--solid --solid-chunk-size=32768",
    ];
    let wim = temp.join("a.wim");
    let mut runner = TestRunner::new(Config { cases: 300, ..Config::default() });
    for variant in variants {
        let paths = ["capture".into(), tree.display().to_string(), wim.display().to_string()];
        let options = variant.split(' ').chain(["--threads=1"]).map(str::to_owned);
        run("wimlib-imagex", paths.into_iter().chain(["one".to_owned()]).chain(options));
        let bytes = fs::read(&wim).expect("the capture");
        exercise(&bytes);
        let damaged =
            runner.run(&(changes(), option::weighted(0.1, any::<usize>())), |(at, cut)| {
                let mut bytes = bytes.clone();
                damage(&mut bytes, &at, cut);
                exercise(&bytes);
                Ok(())
            });
        damaged.unwrap_or_else(|error| panic!("{variant}: {error}"));
        fs::remove_file(&wim).expect("the capture");
    }
}
