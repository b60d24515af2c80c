//! Settings of single files: attributes, short names, security, streams, links; wimlib sees them.

mod wim_support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::rc::Rc;

use mediabuild_formats::security::Descriptor;
use mediabuild_formats::wim::{
    FileSpec, FileTime, Image, JUNCTION, NO_SECURITY, SYMBOLIC_LINK, Sha1, attribute,
};
use wim_support::{Bytes, TempDir, has_tool, open, run, write_raw};

const TIME: FileTime = FileTime(133_000_000_000_000_000);
const SDDL: &str = "O:BAG:SYD:P(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)";

fn sample() -> Image {
    let mut image = Image::new(TIME);
    for path in ["a.txt", "B.txt", "Program Files/x.dll"] {
        let sha1 = Sha1::of(path.as_bytes());
        image.insert_file(path, FileSpec::new(sha1, TIME)).expect("a new file");
    }
    image.add_hard_link("links/a", "A.TXT", TIME).expect("a link");
    image
}

#[test]
fn a_file_is_the_same_under_all_its_names() {
    let mut image = sample();
    image.add_hard_link("links/again", "links/a", TIME).expect("a link");
    image.add_hard_link("links/b", "b.txt", TIME).expect("a link");
    image.set_security("links/a", SDDL).expect("SDDL");
    image.set_attributes("a.txt", attribute::HIDDEN | attribute::SYSTEM, 0).expect("attributes");
    image.add_stream("links/again", "zone", Sha1::of(b"stream")).expect("a stream");
    let first = image.lookup("a.txt").expect("a file").clone();
    assert_eq!((first.security_id, first.attributes, first.streams.len()), (0, 6, 1));
    for path in ["links/a", "links/again"] {
        let link = image.lookup(path).expect("a link");
        assert_eq!((link.hard_link, link.data), (first.hard_link, first.data));
        assert_eq!((link.security_id, link.attributes), (0, 6));
        assert_eq!(link.streams, first.streams);
    }
    let other = image.lookup("links/b").expect("a link");
    assert_ne!(other.hard_link, first.hard_link);
    assert_eq!((other.security_id, other.streams.len()), (NO_SECURITY, 0));
    for (path, existing) in [("links/a", "b.txt"), ("x", "nothing"), ("x", "links"), ("", "a.txt")]
    {
        image.add_hard_link(path, existing, TIME).expect_err(path);
    }
}

#[test]
fn equal_descriptors_are_kept_once() {
    let mut image = sample();
    for path in ["a.txt", "B.txt", "", "Program Files"] {
        image.set_security(path, SDDL).expect("SDDL");
    }
    image.set_security("B.txt", "O:SY").expect("SDDL");
    assert_eq!(image.security.len(), 2);
    assert_eq!(image.root.security_id, 0);
    let descriptor = Descriptor::decode(&image.security[0]).expect("a descriptor");
    assert_eq!(descriptor.to_sddl().expect("a text"), SDDL);
    let error = image.set_security("a.txt", "O:DA").expect_err("a domain's").to_string();
    assert!(error.starts_with("`a.txt`: SDDL, character 3: `DA` is"), "{error}");
    let error = image.set_security("c.txt", SDDL).expect_err("no file").to_string();
    assert_eq!(error, "`c.txt`: is not in the image");
}

#[test]
fn attributes_are_set_and_cleared() {
    let mut image = sample();
    let attributes = |image: &Image, path| image.lookup(path).expect("a file").attributes;
    image.set_attributes("B.txt", attribute::READ_ONLY, 0).expect("attributes");
    assert_eq!(attributes(&image, "B.txt"), attribute::READ_ONLY, "no longer normal");
    image.set_attributes("B.txt", 0, attribute::READ_ONLY).expect("attributes");
    assert_eq!(attributes(&image, "B.txt"), attribute::NORMAL);
    image.set_attributes("links", attribute::HIDDEN, 0).expect("attributes");
    assert_eq!(attributes(&image, "links"), attribute::HIDDEN | attribute::DIRECTORY);
    let error = image.set_attributes("links", 0, attribute::DIRECTORY).expect_err("its kind");
    assert_eq!(error.to_string(), "`links`: attributes 0x10 follow from what it is");
}

#[test]
fn short_names_are_valid_and_apart() {
    let mut image = sample();
    image.set_short_name("program files", "PROGRA~1").expect("a short name");
    image.set_short_name("Program Files", "PROGRA~1").expect("the same again");
    assert_eq!(image.lookup("Program Files").expect("a folder").short_name.to_string(), "PROGRA~1");
    for (name, expected) in [
        ("PROGRA~1", "the short name `PROGRA~1` is that of `Program Files`"),
        ("A.TXT", "the short name `A.TXT` is that of `a.txt`"),
        ("lower", "not an 8.3 name"),
        ("ABCDEFGHI", "not an 8.3 name"),
        ("A.B.C", "not an 8.3 name"),
        ("A.", "not an 8.3 name"),
        (".A", "not an 8.3 name"),
        ("A B", "not an 8.3 name"),
        ("Ä", "not an 8.3 name"),
    ] {
        let error = image.set_short_name("B.txt", name).expect_err(name).to_string();
        assert!(error.contains(expected), "{error}");
    }
    image.set_short_name("B.txt", "B.TXT").expect("its own name");
    image.set_short_name("Program Files", "").expect("none");
    assert!(image.lookup("Program Files").expect("a folder").short_name.is_empty());
    image.set_short_name("nothing", "A").expect_err("no file");
    image.set_short_name("nothing/x", "A").expect_err("no folder");
    image.set_short_name("", "A").expect_err("the root has no names");
}

#[test]
fn streams_are_added_and_replaced() {
    let mut image = sample();
    image.add_stream("links", "Zone", Sha1::of(b"1")).expect("a stream");
    image.add_stream("links", "zone", Sha1::EMPTY).expect("a stream");
    let streams = &image.lookup("links").expect("a folder").streams;
    assert_eq!((streams.len(), streams[0].sha1), (1, Sha1::ZERO));
    for name in ["", "a:b", "a\\b", "a\0", &"x".repeat(256)] {
        image.add_stream("links", name, Sha1::ZERO).expect_err("a bad name");
    }
    image.lookup_mut("B.txt").expect("a file").attributes = attribute::ENCRYPTED;
    image.add_stream("B.txt", "x", Sha1::ZERO).expect_err("it is encrypted");
}

#[test]
fn links_have_the_reparse_data_of_windows() {
    let mut image = sample();
    let text = |units: &[u8]| {
        let units: Vec<u16> =
            units.chunks(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    let relative = image.add_symlink("links/r", "../a.txt", false, TIME).expect("a link");
    assert_eq!(relative[..12], [0, 0, 16, 0, 16, 0, 16, 0, 1, 0, 0, 0]);
    assert_eq!(text(&relative[12..]), r"..\a.txt..\a.txt");
    let absolute = image.add_symlink("links/abs", r"C:\Data", true, TIME).expect("a link");
    assert_eq!(absolute[..12], [0, 0, 22, 0, 22, 0, 14, 0, 0, 0, 0, 0]);
    assert_eq!(text(&absolute[12..]), r"\??\C:\DataC:\Data");
    let share = image.add_symlink("links/unc", r"\\server\share", true, TIME).expect("a link");
    assert_eq!(text(&share[12..]), r"\??\UNC\server\share\\server\share");
    let rooted = image.add_symlink("links/rooted", r"\Data", true, TIME).expect("a link");
    assert_eq!((rooted[8], text(&rooted[12..]).as_str()), (1, r"\Data\Data"));
    let junction = image.add_junction("new/folder/j", r"C:\Data", TIME).expect("a junction");
    assert_eq!(junction[..8], [0, 0, 22, 0, 24, 0, 14, 0]);
    assert_eq!(text(&junction[8..]), "\\??\\C:\\Data\0C:\\Data\0");
    let dentry = |path| image.lookup(path).expect("a link");
    let reparse = |path| dentry(path).reparse.expect("reparse data");
    assert_eq!((reparse("links/r").tag, reparse("links/r").flags), (SYMBOLIC_LINK, 0));
    assert_eq!((reparse("new/folder/j").tag, reparse("new/folder/j").flags), (JUNCTION, 1));
    assert_eq!(dentry("links/abs").attributes, attribute::DIRECTORY | attribute::REPARSE_POINT);
    assert_eq!(dentry("links/r").attributes, attribute::REPARSE_POINT);
    assert_eq!(reparse("links/r").sha1, Sha1::of(&relative));
    for (path, target) in [("links/r", "x"), ("n", ""), ("n", "a\0"), ("n", "C:x"), ("", "x")] {
        image.add_symlink(path, target, false, TIME).expect_err(target);
    }
    let long = "x".repeat(4092);
    image.add_symlink("n", &long, false, TIME).expect_err("too long");
    image.add_symlink("n", &long[..4091], false, TIME).expect("16376 bytes");
    for target in [r"..\x", r"\x", r"\\server\share", "x"] {
        image.add_junction("j", target, TIME).expect_err(target);
    }
}

#[test]
fn wimlib_sees_what_was_set() {
    if !has_tool("wimlib-imagex") {
        return;
    }
    let mut image = sample();
    let mut contents: BTreeMap<Sha1, Bytes> = BTreeMap::new();
    let mut add = |bytes: &[u8]| {
        let sha1 = Sha1::of(bytes);
        contents.insert(sha1, Rc::new(bytes.to_vec()));
        sha1
    };
    for path in ["a.txt", "B.txt", "Program Files/x.dll"] {
        add(path.as_bytes());
    }
    image.set_security("Program Files", SDDL).expect("SDDL");
    image.set_short_name("Program Files", "PROGRA~1").expect("a short name");
    image.set_attributes("B.txt", attribute::HIDDEN, 0).expect("attributes");
    image.add_stream("B.txt", "zone", add(b"stream")).expect("a stream");
    add(&image.add_symlink("links/r", "../a.txt", false, TIME).expect("a link"));
    add(&image.add_junction("links/j", r"C:\Data", TIME).expect("a junction"));
    let bytes = write_raw(&[&image], &contents);
    let temp = TempDir::new("wim-settings");
    let wim = temp.join("a.wim");
    fs::write(&wim, &bytes).expect("a file");
    run("wimlib-imagex", ["verify".as_ref(), wim.as_os_str()]);
    let details = run(
        "wimlib-imagex",
        ["dir".as_ref(), wim.as_os_str(), "1".as_ref(), "--detailed".as_ref()],
    );
    for expected in
        ["PROGRA~1", "FILE_ATTRIBUTE_HIDDEN is set", "0xa000000c", "0xa0000003", "\"zone\""]
    {
        assert!(details.contains(expected), "no {expected} in {details}");
    }
    let applied = temp.join("applied");
    run("wimlib-imagex", ["apply".as_ref(), wim.as_os_str(), "1".as_ref(), applied.as_os_str()]);
    assert_eq!(fs::metadata(applied.join("a.txt")).expect("a file").nlink(), 2);
    let target = fs::read_link(applied.join("links/r")).expect("a link");
    assert_eq!(target.to_str(), Some("../a.txt"));
    assert_eq!(fs::read(applied.join("links/r")).expect("a file"), b"a.txt");
    let opened = open(bytes);
    let ids = ["a.txt", "links/a"].map(|path| opened.images[0].lookup(path).expect("it").hard_link);
    assert_eq!(ids, [1, 1]);
}
