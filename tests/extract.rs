//! `extract`: trees as wimlib applies them, and nothing outside of the folder.

mod harness;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use harness::{Run, TestSpace, shared, tool, tree};
use mediabuild_formats::layout::{Extent, Layout};
use mediabuild_formats::wim::{
    Dentry, Element, FileTime, Image, Name, NamedStream, Options, OutputImage, Reparse, Resource,
    Sha1, attribute, write,
};

/// What a file system says of a name.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Folder,
    /// Bytes and how many names the file has.
    File(Vec<u8>, u64),
    Link(PathBuf),
}

/// Everything below a folder, with times in nanoseconds.
fn found(root: &Path) -> BTreeMap<String, (Found, i128)> {
    let mut all = BTreeMap::new();
    for entry in walkdir::WalkDir::new(root).min_depth(1) {
        let entry = entry.expect("readable");
        let (path, metadata) = (entry.path(), entry.path().symlink_metadata().expect("there"));
        let found = if metadata.is_dir() {
            Found::Folder
        } else if metadata.is_symlink() {
            Found::Link(fs::read_link(path).expect("a link"))
        } else {
            Found::File(fs::read(path).expect("readable"), metadata.nlink())
        };
        let modified =
            i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
        let name = path.strip_prefix(root).expect("below").to_string_lossy().into_owned();
        all.insert(name, (found, modified));
    }
    all
}

/// Files of every shape: empty, odd sizes, larger than a unit of work, links of both kinds.
fn write_tree(root: &Path) {
    fs::create_dir_all(root.join("sub/deep/empty folder")).expect("folders");
    let text: Vec<u8> =
        (0..200_000).flat_map(|i| format!("line {} of text\r\n", i % 977).into_bytes()).collect();
    for size in [0, 1, 4095, 32768, 32769, 65537, 1 << 20, (1 << 20) + 1, text.len()] {
        fs::write(root.join(format!("text{size}")), &text[..size]).expect("a file");
    }
    let noise: Vec<u8> = (0..1_500_000_u32)
        .scan(1_u32, |state, _| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some((*state >> 24) as u8)
        })
        .collect();
    fs::write(root.join("sub/noise.bin"), &noise).expect("a file");
    for copy in 0..20 {
        fs::write(root.join(format!("sub/copy{copy}")), &text[..70_000]).expect("a file");
    }
    fs::write(root.join("sub/Größe ∞.txt"), "umlaut").expect("a file");
    fs::hard_link(root.join("text4095"), root.join("sub/deep/link")).expect("a link");
    fs::hard_link(root.join("text0"), root.join("sub/empty link")).expect("a link");
    symlink("deep/link", root.join("sub/to file")).expect("a link");
    symlink("../sub", root.join("sub/to folder")).expect("a link");
}

/// Captures with wimlib; `None` without it.
fn capture(space: &TestSpace, tree: &str, wim: &str, options: &[&str]) -> Option<PathBuf> {
    let (tree, wim) = (space.path().join(tree), space.path().join(wim));
    let mut command = tool("wimlib-imagex")?;
    let command = command.arg("capture").args([&tree, &wim]).arg("one").args(options);
    Run::of(command.arg("--threads=1")).expect(0);
    Some(wim)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn extract(space: &TestSpace, wim: &Path, to: &str, options: &[&str]) -> Run {
    let to = space.path().join(to);
    let arguments = ["extract", text(wim), "--to", text(&to)];
    space.run(&[&arguments[..], options].concat())
}

#[test]
fn every_codec_gives_the_tree_that_wimlib_applies() {
    let space = TestSpace::new();
    write_tree(&space.path().join("tree"));
    let variants: [&[&str]; 16] = [
        &["--compress=none", "--pipable"],
        &["--compress=XPRESS", "--pipable", "--check"],
        &["--compress=LZX", "--pipable", "--chunk-size=64K"],
        &["--compress=LZMS", "--pipable"],
        &["--compress=none"],
        &["--compress=none", "--check"],
        &["--compress=XPRESS"],
        &["--compress=XPRESS", "--chunk-size=4096"],
        &["--compress=XPRESS", "--chunk-size=65536", "--check"],
        &["--compress=LZX"],
        &["--compress=LZX", "--chunk-size=2M"],
        &["--compress=LZMS"],
        &["--compress=LZMS", "--chunk-size=1M"],
        &["--solid"],
        &["--solid", "--solid-compress=LZX", "--solid-chunk-size=64K"],
        &["--solid", "--solid-compress=XPRESS", "--solid-chunk-size=32K"],
    ];
    for variant in variants {
        let Some(wim) = capture(&space, "tree", "a.wim", variant) else { return };
        assert_applied(&space, &wim, &[], &variant.join(" "));
        fs::remove_file(&wim).expect("the capture");
    }
}

/// Verifies and extracts a WIM, and compares with wimlib.
fn assert_applied(space: &TestSpace, wim: &Path, wimlib_options: &[&str], variant: &str) {
    let references: Vec<&str> =
        wimlib_options.iter().copied().filter(|option| !option.contains(".swm")).collect();
    space.run(&[&["verify", text(wim)], &references[..]].concat()).expect(0).says(": ok");
    let applied = space.path().join("applied");
    let mut wimlib = tool("wimlib-imagex").expect("it captured");
    Run::of(wimlib.args(["apply", text(wim), "1", text(&applied)]).args(wimlib_options)).expect(0);
    let expected = found(&applied);
    for jobs in ["1", "5"] {
        extract(space, wim, "extracted", &[&["--jobs", jobs], &references[..]].concat()).expect(0);
        let extracted = found(&space.path().join("extracted"));
        assert!(extracted.keys().eq(expected.keys()), "{variant}: other names");
        for (path, expected) in &expected {
            assert!(&extracted[path] == expected, "{variant}, {jobs} jobs: `{path}` differs");
        }
        fs::remove_dir_all(space.path().join("extracted")).expect("the tree");
    }
    fs::remove_dir_all(applied).expect("the tree");
}

/// Cuts a WIM into parts of a megabyte.
fn split(space: &TestSpace, wim: &Path) -> Vec<PathBuf> {
    let first = space.path().join("set.swm");
    let mut wimlib = tool("wimlib-imagex").expect("it captured");
    Run::of(wimlib.args(["split", text(wim), text(&first), "1"])).expect(0);
    let name = |part: u32| match part {
        1 => first.clone(),
        part => space.path().join(format!("set{part}.swm")),
    };
    let parts: Vec<PathBuf> = (1..).map(name).take_while(|part| part.exists()).collect();
    assert!(parts.len() > 2, "{parts:?}");
    parts
}

#[test]
fn a_split_set_is_one_wim() {
    let space = TestSpace::new();
    write_tree(&space.path().join("tree"));
    for variant in [&["--compress=none", "--check"], &["--compress=LZX", "--chunk-size=32K"]] {
        let Some(wim) = capture(&space, "tree", "a.wim", variant) else { return };
        let parts = split(&space, &wim);
        let others = format!("--ref={}", space.path().join("set*.swm").display());
        assert_applied(&space, &parts[0], &[&others], &variant.join(" "));
        // Whichever part is named, the others are found.
        let last = parts.last().expect("parts");
        space.run(&["verify", text(last)]).expect(0).says(": ok");
        extract(&space, last, "from last", &[]).expect(0);
        assert!(tree(&space.path().join("from last")) == tree(&space.path().join("tree")));
        fs::remove_dir_all(space.path().join("from last")).expect("the tree");
        fs::remove_file(&wim).expect("the capture");
        parts.iter().for_each(|part| fs::remove_file(part).expect("a part"));
    }
}

#[test]
fn a_damaged_part_is_named_and_a_missing_one_too() {
    let space = TestSpace::new();
    write_tree(&space.path().join("tree"));
    let Some(wim) = capture(&space, "tree", "a.wim", &["--compress=none"]) else { return };
    let parts = split(&space, &wim);
    let mut bytes = fs::read(&parts[1]).expect("a part");
    bytes[300] ^= 1;
    fs::write(&parts[1], &bytes).expect("a part");
    let run = space.run(&["verify", text(&parts[0])]);
    run.expect(1).says("set2.swm: resource at offset 0xd0: expected SHA-1").says("used by `");
    let mut guid = bytes.clone();
    guid[0x18] ^= 1;
    fs::write(&parts[1], &guid).expect("a part");
    let run = space.run(&["verify", text(&parts[0])]);
    run.expect(1).says("set2.swm` cannot be read with the others").says("GUID");
    fs::remove_file(&parts[1]).expect("a part");
    for verb in [&["verify"][..], &["extract", "--to", "out"]] {
        let run = space.run(&[verb, &[text(&parts[0])]].concat());
        assert_ne!(run.code, Some(0));
        run.says("set2.swm").says("part 1 of");
    }
    space.run(&["inspect", "ls", text(&parts[0])]).expect(0).says("sub/noise.bin");
}

#[test]
fn a_delta_needs_the_wim_it_is_one_of() {
    let space = TestSpace::new();
    write_tree(&space.path().join("tree"));
    for codec in ["--compress=XPRESS", "--compress=LZX", "--solid"] {
        let base = capture(&space, "tree", "base.wim", &[codec]);
        let Some(base) = base else { return };
        fs::write(space.path().join("tree/new"), "not in the base".repeat(100)).expect("a file");
        let delta_from = format!("--delta-from={}", base.display());
        let delta = capture(&space, "tree", "delta.wim", &["--compress=none", &delta_from]);
        let delta = delta.expect("it captured before");
        let reference = format!("--ref={}", base.display());
        assert_applied(&space, &delta, &[&reference], codec);
        let pattern = format!("--ref={}", space.path().join("b*.wim").display());
        space.run(&["verify", text(&delta), &pattern]).expect(0).says(": ok");
        let run = space.run(&["verify", text(&delta)]);
        run.expect(1).says("is not in the file; if it is a delta").says("--ref");
        extract(&space, &delta, "alone", &[]).expect(1).says("a delta of another WIM?");
        assert!(space.path().join("alone/new").exists());
        fs::remove_dir_all(space.path().join("alone")).expect("the tree");
        for file in ["base.wim", "delta.wim", "tree/new"] {
            fs::remove_file(space.path().join(file)).expect("a file");
        }
    }
}

#[test]
fn absolute_links_stay_in_the_folder() {
    let space = TestSpace::new();
    let folder = space.path().join("tree");
    fs::create_dir_all(folder.join("sub/deep")).expect("folders");
    symlink(folder.join("sub"), folder.join("sub/deep/inside")).expect("a link");
    symlink("/etc/passwd", folder.join("sub/outside")).expect("a link");
    symlink("../../etc/passwd", folder.join("up")).expect("a link");
    let Some(wim) = capture(&space, "tree", "a.wim", &["--compress=none"]) else { return };
    let run = extract(&space, &wim, "out", &[]);
    run.expect(1).says("`up`: its target").says("is not in the image").says("1 name not extracted");
    let link = |name: &str| fs::read_link(space.path().join("out").join(name));
    assert_eq!(link("sub/deep/inside").expect("a link"), Path::new("../../sub"));
    assert_eq!(link("sub/outside").expect("a link"), Path::new("../etc/passwd"));
    assert!(link("up").is_err());
}

// ---- what is meant, and where it goes ----

/// A space with a built WIM and ISO.
fn built_space() -> TestSpace {
    let space = TestSpace::quickstart();
    space.build(&[]);
    space
}

#[test]
fn folders_files_and_patterns_are_extracted_with_their_paths() {
    let Some(wim) = shared("data/wim/LZX.wim") else { return };
    let space = TestSpace::new();
    extract(&space, &wim, "all", &[]).expect(0);
    let all = tree(&space.path().join("all"));
    assert!(all.len() > 3, "{:?}", all.keys());
    let (path, bytes) =
        all.iter().find(|(path, _)| path.contains('/')).expect("a file in a folder");
    let folder = path.split('/').next().expect("a folder");
    extract(&space, &wim, "file", &[&path.to_uppercase()]).expect(0);
    assert_eq!(tree(&space.path().join("file")), BTreeMap::from([(path.clone(), bytes.clone())]));
    extract(&space, &wim, "folder", &[&path.replace('/', "\\"), folder]).expect(0);
    let below = |path: &&String| path.starts_with(&format!("{folder}/"));
    let expected: Vec<&String> = all.keys().filter(below).collect();
    assert_eq!(tree(&space.path().join("folder")).keys().collect::<Vec<_>>(), expected);
    extract(&space, &wim, "glob", &["**/*.txt"]).expect(0);
    let texts: Vec<&String> =
        all.keys().filter(|path| path.to_lowercase().ends_with(".txt")).collect();
    assert_eq!(tree(&space.path().join("glob")).keys().collect::<Vec<_>>(), texts);
    extract(&space, &wim, "none", &["no such"]).expect(1).says("there is no `no such`");
    assert!(!space.path().join("none").exists());
    let run = space.run(&["extract", text(&wim), path, "--to", "-"]);
    assert_eq!(run.expect(0).stdout.as_bytes(), &bytes[..]);
    space.run(&["extract", text(&wim), "--to", "-"]).expect(2).says("writes one file");
}

#[test]
fn an_image_is_chosen_by_number_or_name() {
    let Some(wim) = shared("data/wim/MultiImage.wim") else { return };
    let space = TestSpace::new();
    extract(&space, &wim, "out", &[]).expect(2).says("--image: 1 (");
    extract(&space, &wim, "two", &["--image", "2"]).expect(0);
    extract(&space, &wim, "nine", &["--image", "9"]).expect(1).says("no image `9`");
    let info = space.run(&["inspect", "info", text(&wim), "--format", "json"]).stdout;
    let info: serde_json::Value = serde_json::from_str(&info).expect("JSON");
    let name = info["images"][1]["NAME"].as_str().expect("a name").to_owned();
    extract(&space, &wim, "named", &["--image", &name]).expect(0);
    assert_eq!(found(&space.path().join("two")), found(&space.path().join("named")));
}

#[test]
fn a_disc_is_extracted_and_a_wim_in_it() {
    let space = built_space();
    let iso = space.result("boot.iso");
    extract(&space, &iso, "disc", &[]).expect(0);
    let disc = tree(&space.path().join("disc"));
    let wim = disc.get("sources/boot.wim").expect("the boot image");
    assert!(wim.starts_with(b"MSWIM"));
    let inner = PathBuf::from(format!("{}//sources/boot.wim", iso.display()));
    extract(&space, &inner, "image", &["Windows/System32"]).expect(0);
    let image = tree(&space.path().join("image"));
    assert!(image.contains_key("Windows/System32/startnet.cmd"), "{:?}", image.keys());
    assert!(image.keys().all(|path| path.starts_with("Windows/System32/")), "{:?}", image.keys());
}

#[test]
fn a_folder_that_is_not_empty_needs_force_and_links_in_it_are_not_followed() {
    let Some(wim) = shared("data/wim/LZX.wim") else { return };
    let space = TestSpace::new();
    extract(&space, &wim, "out", &[]).expect(0);
    let out = space.path().join("out");
    let whole = found(&out);
    extract(&space, &wim, "out", &[]).expect(2).says("is not an empty folder").says("--force");
    let file = whole.iter().find(|(path, (found, _))| {
        !path.contains('/') && matches!(found, Found::File(bytes, 1) if !bytes.is_empty())
    });
    let file = out.join(file.expect("a file").0);
    let elsewhere = space.path().join("elsewhere");
    fs::write(&elsewhere, "kept").expect("a file");
    fs::remove_file(&file).expect("extracted");
    symlink(&elsewhere, &file).expect("a link");
    extract(&space, &wim, "out", &["--force"]).expect(0);
    assert_eq!(found(&out), whole, "a link in the way is replaced");
    assert_eq!(fs::read(&elsewhere).expect("a file"), b"kept", "and not written through");
    // A link in place of a folder is not followed, and not replaced either.
    let folder = whole.iter().find(|(path, (found, _))| {
        *found == Found::Folder && whole.keys().any(|other| other.starts_with(&format!("{path}/")))
    });
    let folder = out.join(folder.expect("a folder").0);
    fs::remove_dir_all(&folder).expect("extracted");
    let outside = space.path().join("outside");
    fs::create_dir(&outside).expect("a folder");
    symlink(&outside, &folder).expect("a link");
    extract(&space, &wim, "out", &["--force"]).expect(1).says("not extracted");
    assert_eq!(fs::read_dir(&outside).expect("a folder").count(), 0);
}

#[test]
fn a_damaged_file_is_not_left_behind() {
    let space = TestSpace::new();
    write_tree(&space.path().join("tree"));
    let Some(wim) = capture(&space, "tree", "a.wim", &["--compress=none"]) else { return };
    let mut bytes = fs::read(&wim).expect("the capture");
    let noise = fs::read(space.path().join("tree/sub/noise.bin")).expect("a file");
    let at = bytes.windows(64).position(|window| window == &noise[..64]).expect("stored raw");
    bytes[at + 1_200_000] ^= 1;
    fs::write(&wim, bytes).expect("a file");
    for jobs in ["1", "4"] {
        let to = format!("out{jobs}");
        let run = extract(&space, &wim, &to, &["--jobs", jobs]);
        run.expect(1).says("`sub/noise.bin`: its content, at offset").says("1 name not extracted");
        let mut expected = tree(&space.path().join("tree"));
        expected.remove("sub/noise.bin").expect("a file");
        assert!(tree(&space.path().join(to)) == expected);
        let run = space.run(&["verify", "--jobs", jobs, text(&wim)]);
        run.expect(1).says("used by `sub/noise.bin` (image 1)");
    }
}

#[test]
fn names_that_this_system_has_no_room_for_are_told() {
    let space = TestSpace::new();
    let folder = space.path().join("tree");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("short"), "short").expect("a file");
    // As many letters as Windows takes, and three times as many bytes here.
    let long = "€".repeat(85);
    fs::write(folder.join(&long), "long").expect("a file");
    let Some(wim) = capture(&space, "tree", "a.wim", &["--compress=none"]) else { return };
    let mut bytes = fs::read(&wim).expect("the capture");
    let units: Vec<u8> = long.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let at = bytes.windows(units.len()).position(|window| window == units).expect("the name");
    bytes[at..at + 2].copy_from_slice(&0xd800_u16.to_le_bytes());
    fs::write(&wim, bytes).expect("a file");
    let run = extract(&space, &wim, "out", &[]);
    run.expect(1).says("the name is not Unicode").says("1 name not extracted");
    assert_eq!(tree(&space.path().join("out")).keys().collect::<Vec<_>>(), ["short"]);
}

// ---- what only Windows writes ----

/// Contents of an image that is made here, by their hashes.
#[derive(Default)]
struct Contents(BTreeMap<Sha1, Vec<u8>>);

impl Contents {
    fn add(&mut self, bytes: impl Into<Vec<u8>>) -> Sha1 {
        let bytes = bytes.into();
        let sha1 = Sha1::of(&bytes);
        self.0.insert(sha1, bytes);
        sha1
    }

    fn file(&mut self, name: &str, text: &str) -> Dentry {
        Dentry::file(Name::from(name), self.add(text), FileTime(133_000_000_000_000_000))
    }

    /// A file or folder with reparse data.
    fn reparse(&mut self, name: &str, attributes: u32, tag: u32, data: Vec<u8>) -> Dentry {
        let reparse = Some(Reparse { tag, reserved: 0, flags: 0, sha1: self.add(data) });
        let file = Dentry::file(Name::from(name), Sha1::ZERO, FileTime(1));
        Dentry { attributes: attributes | attribute::REPARSE_POINT, reparse, ..file }
    }

    /// An uncompressed WIM with one image.
    fn write(&self, image: &Image, to: &Path) {
        let mut layout: Layout<Vec<u8>> = Layout::default();
        let images = [OutputImage { image, xml: Element::new("IMAGE") }];
        let mut resolve = |sha1: &Sha1| {
            let content = self.0.get(sha1)?.clone();
            let size_bytes = content.len() as u64;
            Some(Resource::Raw { content, size_bytes })
        };
        write(&images, &Options::default(), &mut resolve, &mut layout).expect("a valid image");
        let mut bytes = Vec::new();
        for extent in &layout.extents {
            match extent {
                Extent::Literal(literal) => bytes.extend_from_slice(literal),
                Extent::Zeros(count) => bytes.resize(bytes.len() + *count as usize, 0),
                Extent::Content { content, .. } => bytes.extend_from_slice(content),
            }
        }
        fs::write(to, bytes).expect("a file");
    }
}

/// Reparse data of a junction.
fn junction(target: &str) -> Vec<u8> {
    let name: Vec<u8> = target.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let size = (name.len() as u16).to_le_bytes();
    [&[0, 0][..], &size, &size, &[0, 0], &name].concat()
}

#[test]
fn junctions_streams_and_files_of_windows_are_what_they_can_be_here() {
    const JUNCTION: u32 = 0xa000_0003;
    let mut contents = Contents::default();
    let mut image = Image::new(FileTime(133_000_000_000_000_000));
    let mut users = Dentry::folder(Name::from("Users"), FileTime(133_000_000_000_000_000));
    users.children.push(contents.file("Default.txt", "default"));
    let folder = attribute::DIRECTORY;
    users.children.push(contents.reparse("All", folder, JUNCTION, junction(r"\??\C:\ProgramData")));
    let mut with_stream = contents.file("with stream.txt", "main");
    let sha1 = contents.add("zone");
    with_stream.streams.push(NamedStream { name: Name::from("Zone"), reserved: 0, sha1 });
    let encrypted = contents.file("secret.txt", "raw form");
    let encrypted = Dentry { attributes: encrypted.attributes | attribute::ENCRYPTED, ..encrypted };
    // Windows 7 media give one link id to files that are not one.
    let linked = |dentry: Dentry| Dentry { hard_link: 7, ..dentry };
    let (one, two) = (linked(contents.file("one", "1")), linked(contents.file("two", "2")));
    let again = linked(contents.file("one again", "1"));
    image.root.children = vec![
        users,
        contents.reparse("Documents and Settings", folder, JUNCTION, junction(r"\??\C:\Users")),
        contents.reparse("Volume", folder, JUNCTION, junction(r"\??\Volume{1}\")),
        contents.reparse("short", folder, JUNCTION, vec![0, 0, 9]),
        contents.reparse("cloud", folder, 0x9000_001a, vec![1, 2, 3]),
        with_stream,
        encrypted,
        one,
        two,
        again,
    ];
    let space = TestSpace::new();
    let wim = space.path().join("windows.wim");
    contents.write(&image, &wim);
    space.run(&["verify", text(&wim)]).expect(0);
    let run = extract(&space, &wim, "out", &[]);
    run.expect(1).says("`secret.txt`: it is encrypted by EFS").says("3 names not extracted");
    run.says("`Volume`: its target `/??/Volume{1}/` is not in the image");
    run.says("`short`: its reparse data is damaged");
    run.says("1 named stream not written").says("1 reparse point written as plain files");
    let out = space.path().join("out");
    let link = |name: &str| fs::read_link(out.join(name)).expect("a link");
    assert_eq!(link("Documents and Settings"), Path::new("Users"));
    assert_eq!(link("Users/All"), Path::new("../ProgramData"));
    let read = |name: &str| fs::read_to_string(out.join(name)).expect("a file");
    assert_eq!([read("one"), read("two"), read("one again")], ["1", "2", "1"]);
    let inode = |name: &str| out.join(name).metadata().expect("a file").ino();
    assert_eq!(inode("one"), inode("one again"));
    assert_ne!(inode("one"), inode("two"));
    assert_eq!(read("Documents and Settings/Default.txt"), "default");
    assert!(out.join("cloud").is_dir() && read("with stream.txt") == "main");
    // The same again over it: links are replaced, never followed.
    extract(&space, &wim, "out", &["--force"]).expect(1).says("3 names not extracted");
    assert_eq!(link("Documents and Settings"), Path::new("Users"));
}
