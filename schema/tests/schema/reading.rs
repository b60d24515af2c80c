//! Which files are read, from disk.

use std::fs;
use std::path::Path;

use crate::case::rendered;
use mediabuild_schema::{Loaded, Span, load, position, text::TextIdx};
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
