//! Which files are read, from disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::case::{MemoryCache, rendered, said};
use mediabuild_schema::{
    Loaded, ParseCache, Span, load, load_cached, load_with, position, text::TextIdx,
};
use tempfile::TempDir;

fn project(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("folders");
        fs::write(path, text).expect("written");
    }
    folder
}

fn names(loaded: &Loaded) -> Vec<&str> {
    loaded.texts.iter().map(|text| text.name.as_str()).collect()
}

#[test]
fn includes_are_read_sorted_and_once() {
    let folder = project(&[
        ("mediabuild.kdl", r#"project "x" { include "d/*.kdl" "d/b.kdl" "**/?.kdl" "*.kdl" }"#),
        ("d/b.kdl", ""),
        ("d/a.kdl", ""),
        ("d/a.txt", "not KDL {"),
        ("d/deep/c.kdl", ""),
        (".git/h.kdl", "not KDL {"),
    ]);
    let loaded = load(folder.path());
    assert_eq!(names(&loaded), ["mediabuild.kdl", "d/a.kdl", "d/b.kdl", "d/deep/c.kdl"]);
    let definitions = loaded.definitions.expect("no errors");
    assert_eq!(definitions.project.folder, folder.path());
}

#[cfg(unix)]
#[test]
fn links_out_of_the_project_are_not_read() {
    let outside = project(&[("secret.kdl", "")]);
    let folder = project(&[("mediabuild.kdl", r#"project "x" { include "*.kdl" "secret.kdl" }"#)]);
    let link = folder.path().join("secret.kdl");
    std::os::unix::fs::symlink(outside.path().join("secret.kdl"), link).expect("linked");
    let loaded = load(folder.path());
    assert_eq!(names(&loaded), ["mediabuild.kdl"]);
    assert_eq!(loaded.diagnostics[0].code, "include-matches-nothing");
}

#[test]
fn a_folder_without_a_project_file_says_what_to_write() {
    let loaded = load(Path::new("/nonexistent"));
    assert_eq!(loaded.diagnostics.len(), 1);
    insta::assert_snapshot!(rendered(&loaded), @r#"
    unreadable-file

      × there is no file `mediabuild.kdl`
      help: write `project "name"` to a file `mediabuild.kdl` in the project's folder
    "#);
}

#[test]
fn positions_count_from_one_in_characters() {
    let folder = project(&[("mediabuild.kdl", "// é\nproject \"é\" x")]);
    let loaded = load(folder.path());
    let at = |offset_bytes| Span { text: TextIdx(0), offset_bytes, size_bytes: 1 };
    assert_eq!(position(&loaded.texts, at(0)), (1, 1));
    assert_eq!(position(&loaded.texts, at(6)), (2, 1));
    assert_eq!(position(&loaded.texts, at(19)), (2, 13));
    assert_eq!(position(&loaded.texts, at(1000)), (2, 14));
}

/// The project file and one that it includes, and a cache that has parsed them.
fn remembered() -> (BTreeMap<String, Vec<u8>>, MemoryCache) {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    files.insert("mediabuild.kdl".into(), br#"project "x" { include "b.kdl" }"#.to_vec());
    files.insert("b.kdl".into(), br#"application "b" { source "b"; depends-on "a" }"#.to_vec());
    let cache = MemoryCache::default();
    let loaded = load_cached(&files, Path::new("/project"), &cache);
    assert_eq!(loaded.diagnostics[0].code, "unknown-reference");
    assert_eq!(cache.0.borrow().len(), 2, "a file has no mistake that shows only across files");
    (files, cache)
}

#[test]
fn what_shows_across_files_is_said_again() {
    let (mut files, cache) = remembered();
    let load = |files: &BTreeMap<String, Vec<u8>>| {
        said(&load_cached(files, Path::new("/project"), &cache))
    };
    assert_eq!(load(&files), said(&load_with(&files, Path::new("/project"))));
    let project = r#"project "x" { include "b.kdl" }; application "a" { source "a" }"#;
    files.insert("mediabuild.kdl".into(), project.into());
    assert_eq!(load(&files), said(&load_with(&files, Path::new("/project"))));
}

#[test]
fn files_with_something_to_say_of_are_not_remembered() {
    let cache = MemoryCache::default();
    for text in ["project x {", "project \"x\" true", "project \"x\" a="] {
        let files = BTreeMap::from([("mediabuild.kdl".to_owned(), text.as_bytes().to_vec())]);
        load_cached(&files, Path::new("/project"), &cache);
        assert!(!cache.0.borrow().contains_key(text), "{text}");
    }
}

#[test]
fn a_damaged_cache_is_an_empty_one() {
    let (files, cache) = remembered();
    let plain = said(&load_with(&files, Path::new("/project")));
    let good = cache.0.borrow().clone();
    for (text, parsed) in &good {
        let cut = (0..parsed.len()).map(|end| parsed[..end].to_vec());
        for damaged in cut.chain([vec![0xff; 64], [parsed.as_slice(), b"x"].concat()]) {
            cache.0.borrow_mut().remove(text);
            let poisoned = Poisoned(text, damaged, &cache);
            assert_eq!(said(&load_cached(&files, Path::new("/project"), &poisoned)), plain);
        }
    }
}

/// A cache that gives something else for one text.
struct Poisoned<'a>(&'a str, Vec<u8>, &'a MemoryCache);

impl ParseCache for Poisoned<'_> {
    fn get(&self, texts: &[&str]) -> Vec<Option<Vec<u8>>> {
        let good = self.2.get(texts).into_iter().zip(texts);
        good.map(|(good, text)| if *text == self.0 { Some(self.1.clone()) } else { good }).collect()
    }

    fn put(&self, text: &str, parsed: Vec<u8>) {
        self.2.put(text, parsed);
    }
}
