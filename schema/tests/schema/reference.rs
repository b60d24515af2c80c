//! The language reference is current, and its examples parse.

use std::path::{Path, PathBuf};

use crate::case::{load_case, rendered};
use mediabuild_schema::{diagnostic::Severity, reference};

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reference.md")
}

#[test]
fn the_committed_reference_is_current() {
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        std::fs::write(path(), reference()).expect("the reference can be written");
    }
    let committed = std::fs::read_to_string(path()).unwrap_or_default();
    assert!(committed == reference(), "run `UPDATE_REFERENCE=1 cargo test -p mediabuild-schema`");
}

/// The KDL blocks of the reference and whether each is a whole definition.
fn blocks() -> Vec<(String, bool)> {
    let page = reference();
    let mut blocks = Vec::new();
    for block in page.split("```kdl\n").skip(1) {
        let (code, _) = block.split_once("```").expect("every block ends");
        blocks.push((code.to_string(), !code.starts_with(' ')));
    }
    blocks
}

#[test]
fn every_example_is_kdl() {
    for (code, _) in blocks() {
        code.parse::<kdl::KdlDocument>().unwrap_or_else(|error| panic!("{code}\n{error:?}"));
    }
}

/// Examples name definitions and files that are not there; nothing else may be wrong with them.
#[test]
fn every_definition_in_the_reference_is_valid() {
    let definitions: Vec<String> =
        blocks().into_iter().filter(|(_, is_whole)| *is_whole).map(|(code, _)| code).collect();
    assert_eq!(definitions.len(), 8);
    let mut loaded = load_case(&definitions.join("\n"));
    let allowed = ["unknown-reference", "include-matches-nothing"];
    loaded.diagnostics.retain(|d| d.severity == Severity::Error && !allowed.contains(&d.code));
    assert_eq!(rendered(&loaded), "");
}
