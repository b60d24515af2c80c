//! Changes to trees: Windows' rules for names, what a replaced file keeps.

use mediabuild_formats::wim::{
    Dentry, FileSpec, FileTime, Image, Name, NamedStream, Sha1, attribute,
};

const OLD: FileTime = FileTime(1);
const NEW: FileTime = FileTime(2);

fn sha1(text: &str) -> Sha1 {
    Sha1::of(text.as_bytes())
}

fn image() -> Image {
    let mut image = Image::new(OLD);
    let spec = FileSpec::new(sha1("old"), OLD);
    image.insert_file("Windows/System32/cmd.exe", spec).expect("a new file");
    image
}

fn paths(image: &Image) -> Vec<String> {
    image.walk().map(|(path, _)| path).collect()
}

#[test]
fn paths_are_found_in_any_case() {
    let mut image = image();
    assert_eq!(image.lookup("").map(|root| root.name.is_empty()), Some(true));
    assert!(image.lookup("windows/SYSTEM32/Cmd.EXE").is_some());
    assert!(image.lookup("/Windows//System32/").is_some());
    assert!(image.lookup("Windows/System33").is_none());
    let exact = Dentry::folder(Name::from("WINDOWS"), OLD);
    image.root.children.push(exact);
    let found = image.lookup("WINDOWS").expect("the exact name");
    assert_eq!(found.name.to_string(), "WINDOWS");
}

#[test]
fn a_new_file_brings_its_folders() {
    let mut image = image();
    image.insert_file("windows/new/deep/a.txt", FileSpec::new(sha1("a"), NEW)).expect("a new file");
    assert_eq!(
        paths(&image)[1..],
        [
            "Windows",
            "Windows/new",
            "Windows/new/deep",
            "Windows/new/deep/a.txt",
            "Windows/System32",
            "Windows/System32/cmd.exe",
        ]
    );
    let folder = image.lookup("Windows/new").expect("the folder");
    assert_eq!((folder.attributes, folder.security_id, folder.write), (0x10, -1, NEW));
    let file = image.lookup("Windows/new/deep/a.txt").expect("the file");
    assert_eq!((file.attributes, file.security_id, file.data), (0x80, -1, sha1("a")));
}

#[test]
fn a_replaced_file_keeps_its_names_attributes_and_security() {
    let mut image = image();
    let file = image.lookup_mut("Windows/System32/cmd.exe").expect("the file");
    file.attributes = attribute::ARCHIVE | 1 | attribute::SPARSE;
    file.security_id = 4;
    file.short_name = Name::from("CMD~1.EXE");
    file.hard_link = 9;
    file.tagged = vec![1; 8];
    let stream = NamedStream { name: Name::from("s"), reserved: 0, sha1: sha1("s") };
    file.streams.push(stream);
    let other = Dentry { name: Name::from("link"), ..file.clone() };
    image.root.children.push(other.clone());
    image.insert_file("WINDOWS/system32/CMD.exe", FileSpec::new(sha1("new"), NEW)).expect("a file");
    let file = image.lookup("Windows/System32/cmd.exe").expect("the file");
    let expected = Dentry {
        name: Name::from("cmd.exe"),
        short_name: Name::from("CMD~1.EXE"),
        attributes: attribute::ARCHIVE | 1,
        security_id: 4,
        ..Dentry::file(Name::default(), sha1("new"), NEW)
    };
    assert_eq!(*file, expected);
    assert_eq!(image.lookup("link"), Some(&other), "the other link keeps its content");
}

#[test]
fn impossible_insertions_are_errors() {
    let mut image = image();
    let file = FileSpec::new(Sha1::ZERO, NEW);
    let before = image.clone();
    let cases = [
        ("Windows/System32", "is a folder, not replaced by a file"),
        ("Windows/System32/cmd.exe/below", "`cmd.exe` is not a folder"),
        ("Windows/../x", "a name is `.` or `..`"),
        ("a\\b", "a name contains"),
        ("", "a name is empty"),
    ];
    for (path, problem) in cases {
        let error = image.insert_file(path, file).expect_err(path).to_string();
        assert!(error.contains(problem), "{error}");
    }
    assert_eq!(image, before);
    let deep = "d/".repeat(2000) + "file";
    image.insert_file(&deep, file).expect_err("too deep");
}

#[test]
fn removed_entries_are_gone() {
    let mut image = image();
    assert!(image.remove("").is_none() && image.remove("nothing").is_none());
    let removed = image.remove("windows/system32").expect("a folder");
    assert_eq!(removed.children.len(), 1);
    assert_eq!(paths(&image), ["", "Windows"]);
}

#[test]
fn grafted_folders_merge() {
    let mut image = image();
    let mut system = Dentry::folder(Name::from("SYSTEM32"), NEW);
    system.children.push(Dentry::file(Name::from("CMD.EXE"), sha1("new"), NEW));
    system.children.push(Dentry::file(Name::from("extra.dll"), sha1("extra"), NEW));
    image.graft("Windows", vec![system.clone()], NEW).expect("a merge");
    image.graft("Elsewhere/New", vec![system], NEW).expect("a copy");
    assert_eq!(
        paths(&image)[1..],
        [
            "Elsewhere",
            "Elsewhere/New",
            "Elsewhere/New/SYSTEM32",
            "Elsewhere/New/SYSTEM32/CMD.EXE",
            "Elsewhere/New/SYSTEM32/extra.dll",
            "Windows",
            "Windows/System32",
            "Windows/System32/cmd.exe",
            "Windows/System32/extra.dll",
        ]
    );
    let replaced = image.lookup("Windows/System32/cmd.exe").expect("a file");
    assert_eq!((replaced.data, replaced.write), (sha1("new"), NEW));
    let file = Dentry::file(Name::from("System32"), Sha1::ZERO, NEW);
    let error = image.graft("Windows", vec![file], NEW).expect_err("a conflict").to_string();
    assert_eq!(error, "`Windows/System32`: is a folder in one tree and a file in the other");
}

#[test]
fn files_put_at_once_are_where_files_put_one_by_one_are() {
    let mut start = image();
    start.root.children.push(Dentry::folder(Name::from("WINDOWS"), OLD));
    let paths = ["windows/A.txt", "WINDOWS/b", "windows/a.TXT", "x/y/z", "X/Y/z2", "Ä/1", "ä/1"];
    let spec = |path: &&str| FileSpec::new(sha1(path), NEW);
    let (mut one_by_one, mut at_once) = (start.clone(), start);
    for path in &paths {
        one_by_one.insert_file(path, spec(path)).expect("a file");
    }
    at_once.insert_files(paths.iter().map(|path| (path, spec(path)))).expect("files");
    assert_eq!(at_once, one_by_one);
    for path in ["x", "x/y/z/below", "Windows/../x", "", "a\\b", &("d/".repeat(2000) + "f")] {
        let file = FileSpec::new(Sha1::ZERO, NEW);
        let expected = one_by_one.insert_file(path, file).expect_err(path).to_string();
        let error = at_once.insert_files([(path, file)]).expect_err(path).to_string();
        assert_eq!(error, expected);
    }
    assert_eq!(at_once, one_by_one);
}

/// Each looked at all names that were there: minutes.
#[test]
fn a_folder_takes_many_files() {
    // neither ascending nor descending
    let path = |number: u64| format!("folder/{:06}.TXT", number * 7919 % 100_000);
    let file = |number: u64| (path(number), FileSpec::new(Sha1::ZERO, NEW));
    let mut image = Image::new(OLD);
    image.insert_files((0..100_000).map(file)).expect("new files");
    image.insert_files((0..100_000).map(file)).expect("files that are there");
    assert_eq!(image.root.children[0].children.len(), 100_000);
    let mut other = Image::new(OLD);
    other.insert_files([("FOLDER/other", FileSpec::new(Sha1::ZERO, NEW))]).expect("a new file");
    other.graft("", image.root.children, NEW).expect("a new folder");
    assert_eq!(other.root.children[0].children.len(), 100_001);
}
