//! Every kind of disc we write before every validator there is; contents by two readers.

use std::collections::BTreeMap;
use std::path::Path;

use mediabuild_formats::iso::{Disc, Options, Tree, View};
use mediabuild_formats::volume::{FileReader, Node};

use crate::content::{Content, layout};
use crate::images::peer::{Scratch, find, pycdlib, run, told};
use crate::images::{FileSource, to_file};
use crate::write::{bootable, mirrored, small};

/// Each kind without and with ISO 9660 and Joliet trees.
pub(crate) fn kinds() -> Vec<(String, Tree<Content>, Options<Content>)> {
    let (tree, both) = bootable();
    let bios = Options { uefi: None, ..both.clone() };
    let uefi = Options { bios: None, ..both.clone() };
    let neither = Options { bios: None, ..uefi.clone() };
    let large = [("both", both), ("BIOS", bios), ("UEFI", uefi), ("neither", neither)];
    let large = large.into_iter().map(|(name, options)| (name, tree.clone(), options));
    let mut kinds = Vec::new();
    for (name, tree, options) in small().into_iter().chain(large) {
        kinds.push((format!("{name}, mirrored"), tree.clone(), mirrored(&options)));
        kinds.push((name.to_owned(), tree, options));
    }
    kinds
}

/// What a tree holds, by path; directories left out.
pub(crate) fn files_of(tree: &Tree<Content>) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut waiting = vec![(String::new(), tree.root())];
    while let Some((path, directory)) = waiting.pop() {
        for (name, node) in directory.entries() {
            let path = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
            match node {
                Node::Directory(child) => waiting.push((path, child)),
                Node::File { content: Content::Bytes(bytes), .. } => {
                    files.insert(path, bytes.clone());
                }
                Node::File { .. } => panic!("all have bytes"),
            }
        }
    }
    files
}

/// Runs `judge` for each kind with the disc's file; a tool that is not there skips it once.
pub(crate) fn for_each_kind(judge: impl Fn(&str, &Path, &Tree<Content>, &Options<Content>)) {
    let scratch = Scratch::new();
    let disc = scratch.path("disc.iso");
    for (name, tree, options) in kinds() {
        to_file(&layout(&tree, &options).0, &disc);
        judge(&name, &disc, &tree, &options);
    }
}

fn is_bootable(options: &Options<Content>) -> bool {
    options.bios.is_some() || options.uefi.is_some()
}

#[test]
fn our_reader_finds_nothing_and_reads_every_tree() {
    for_each_kind(|name, disc, tree, options| {
        let source = FileSource(std::fs::File::open(disc).unwrap());
        let opened = Disc::open(&source).unwrap();
        assert_eq!(opened.verify(&source), [], "{name}");
        let mut views = vec![View::Udf];
        views.extend([View::Joliet].into_iter().filter(|_| options.is_mirrored));
        let wanted = files_of(tree);
        for view in views {
            let entries = opened.walk(&source, view).unwrap();
            let files = entries.iter().filter(|entry| !entry.is_directory);
            let read = files.map(|entry| {
                let mut bytes = Vec::new();
                std::io::Read::read_to_end(&mut FileReader::new(&source, entry), &mut bytes)
                    .unwrap();
                (entry.path.clone(), bytes)
            });
            assert!(read.collect::<BTreeMap<_, _>>() == wanted, "{name}: {}", view.name());
        }
        if options.is_mirrored {
            // Names are others; as many files with the same bytes.
            let entries = opened.walk(&source, View::Iso9660).unwrap();
            let sizes = |sizes: Vec<u64>| {
                let mut sizes = sizes;
                sizes.sort_unstable();
                sizes
            };
            let found = entries.iter().filter(|entry| !entry.is_directory);
            let found = sizes(found.map(|entry| entry.size_bytes).collect());
            assert_eq!(found, sizes(wanted.values().map(|bytes| bytes.len() as u64).collect()));
        }
    });
}

#[test]
fn seven_zip_extracts_what_went_in_from_every_tree() {
    let Some(_) = find("7zz") else { return };
    for_each_kind(|name, disc, tree, options| {
        let wanted = files_of(tree);
        let mut types = vec!["-tudf"];
        types.extend(["-tiso"].into_iter().filter(|_| options.is_mirrored));
        for archive in types {
            let scratch = Scratch::new();
            let out = scratch.path("out");
            let to = format!("-o{}", out.display());
            let mut command = find("7zz").expect("found above");
            let said = run(command.args(["x", "-y", archive, &to]).arg(disc));
            let said = String::from_utf8_lossy(&said).into_owned();
            assert!(said.contains("Everything is Ok"), "{name} {archive}: {said}");
            assert!(!said.contains("WARNING"), "{name} {archive}: {said}");
            let mut found = BTreeMap::new();
            read_folder(&out, "", &mut found);
            // The boot images, as 7-Zip names them.
            found.retain(|path, _| !path.starts_with("[BOOT]/"));
            let names = || found.keys().filter(|path| !wanted.contains_key(*path));
            assert!(found == wanted, "{name} {archive}: {:?}", names().collect::<Vec<_>>());
        }
    });
}

fn read_folder(folder: &Path, path: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().into_string().unwrap();
        let path = if path.is_empty() { name } else { format!("{path}/{name}") };
        if entry.path().is_dir() {
            read_folder(&entry.path(), &path, found);
        } else {
            found.insert(path, std::fs::read(entry.path()).unwrap());
        }
    }
}

#[test]
fn udfinfo_finds_every_disc_whole() {
    let Some(_) = find("udfinfo") else { return };
    for_each_kind(|name, disc, tree, _| {
        let mut command = find("udfinfo").expect("found above");
        let output = command.arg(disc).output().unwrap();
        let said = told(&output);
        assert!(output.status.success(), "{name}: {said}");
        for line in
            ["udfrev=1.02", "integrity=closed", &format!("numfiles={}", files_of(tree).len())]
        {
            assert!(said.lines().any(|said| said == line), "{name}: no {line} in {said}");
        }
        assert!(!said.to_lowercase().contains("error"), "{name}: {said}");
    });
}

#[test]
fn xorriso_lists_the_boot_entries_and_the_files_of_every_disc() {
    let Some(_) = find("xorriso") else { return };
    for_each_kind(|name, disc, tree, options| {
        let mut command = find("xorriso").expect("found above");
        command.args(["-abort_on", "FAILURE", "-joliet", "off", "-indev"]).arg(disc);
        command.args(["-report_el_torito", "plain", "-find", "/", "-type", "f"]);
        let output = command.output().unwrap();
        let said = told(&output);
        assert!(output.status.success(), "{name}: {said}");
        let images = said.lines().filter(|line| line.starts_with("El Torito boot img :")).count();
        let wanted = usize::from(options.bios.is_some()) + usize::from(options.uefi.is_some());
        assert_eq!(images, wanted, "{name}: {said}");
        let files = said.lines().filter(|line| line.starts_with("'/")).count();
        let wanted = if options.is_mirrored { files_of(tree).len() } else { 1 };
        assert_eq!(files, wanted, "{name}: {said}");
    });
}

#[test]
fn isoinfo_and_isovfy_agree_with_every_disc() {
    let (Some(_), Some(_)) = (find("isoinfo"), find("isovfy")) else { return };
    for_each_kind(|name, disc, tree, options| {
        let isoinfo = |arguments: &[&str]| {
            let mut command = find("isoinfo").expect("found above");
            String::from_utf8_lossy(&run(command.args(arguments).arg("-i").arg(disc))).into_owned()
        };
        let said = isoinfo(&["-d"]);
        assert_eq!(said.contains("El Torito VD version 1 found"), is_bootable(options), "{said}");
        assert_eq!(said.contains("Joliet with UCS level 3 found"), options.is_mirrored, "{said}");
        let listed = |arguments: &[&str]| isoinfo(arguments).lines().count();
        let (files, wanted) = (files_of(tree), tree_size(tree));
        if options.is_mirrored {
            assert_eq!(listed(&["-f"]), wanted, "{name}");
            assert_eq!(listed(&["-J", "-f"]), wanted, "{name}");
            let joliet = isoinfo(&["-J", "-f"]);
            // isoinfo knows no UTF-8: it shows other characters as it can.
            for path in files.keys().filter(|path| path.is_ascii()) {
                assert!(
                    joliet.lines().any(|line| line[1..] == **path),
                    "{name}: {path} in {joliet}"
                );
            }
        }
        let mut command = find("isovfy").expect("found above");
        let output = command.arg(disc).output().unwrap();
        let said = told(&output);
        assert!(output.status.success(), "{name}: {said}");
        assert!(said.contains("No errors found"), "{name}: {said}");
    });
}

/// How many files and directories there are, the root left out.
fn tree_size(tree: &Tree<Content>) -> usize {
    let mut waiting = vec![tree.root()];
    let mut count = 0;
    while let Some(directory) = waiting.pop() {
        for (_, node) in directory.entries() {
            count += 1;
            if let Node::Directory(child) = node {
                waiting.push(child);
            }
        }
    }
    count
}

const PYCDLIB_LIST: &str = r"
import sys, pycdlib
iso = pycdlib.PyCdlib()
iso.open(sys.argv[1])
for view in sys.argv[2:]:
    count = 0
    for top, directories, files in iso.walk(**{view: '/'}):
        for name in files:
            with iso.open_file_from_iso(**{view: top.rstrip('/') + '/' + name}) as file:
                file.read()
            count += 1
    print(view, count)
";

#[test]
fn pycdlib_reads_every_tree_of_every_disc() {
    let Some(_) = pycdlib() else { return };
    for_each_kind(|name, disc, tree, options| {
        let views: &[&str] = match options.is_mirrored {
            true => &["udf_path", "iso_path", "joliet_path"],
            false => &["udf_path", "iso_path"],
        };
        let mut command = pycdlib().expect("found above");
        let said = run(command.args(["-c", PYCDLIB_LIST]).arg(disc).args(views));
        let said = String::from_utf8(said).unwrap();
        let count = files_of(tree).len();
        assert!(said.contains(&format!("udf_path {count}\n")), "{name}: {said}");
        if options.is_mirrored {
            assert!(said.contains(&format!("iso_path {count}\n")), "{name}: {said}");
            assert!(said.contains(&format!("joliet_path {count}\n")), "{name}: {said}");
        }
    });
}
