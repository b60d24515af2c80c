//! The rules of the house that a compiler does not check: edges between crates and rooms, heads on
//! files, and that `ARCHITECTURE.md` names what is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace's root").to_owned()
}

/// All `.rs` files of a folder, relative to the root, with their text.
fn rust_files(folder: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(root().join(folder)).sort_by_file_name() {
        let entry = entry.expect("readable");
        let path = entry.path().strip_prefix(root()).expect("below the root").to_owned();
        let skipped = path
            .components()
            .any(|part| part.as_os_str() == "target" || part.as_os_str() == "fuzz");
        if !skipped && path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(entry.path()).expect("UTF-8");
            files.push((path.to_string_lossy().replace('\\', "/"), text));
        }
    }
    files
}

fn all_rust_files() -> Vec<(String, String)> {
    ["schema", "store", "mediabuild", "tests"]
        .iter()
        .flat_map(|folder| rust_files(folder))
        .collect()
}

/// The code of a file: its lines without comments, up to its unit tests.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .take_while(|line| !line.starts_with("#[cfg(test)]"))
        .filter(|line| !line.trim_start().starts_with("//"))
}

#[track_caller]
fn assert_none(found: Vec<String>, rule: &str) {
    assert!(found.is_empty(), "{rule}:\n  {}", found.join("\n  "));
}

/// Files of `folder`, except those that start with one of `but`, in whose code a needle stands.
fn uses(folder: &str, but: &[&str], needles: &[&str]) -> Vec<String> {
    rust_files(folder)
        .into_iter()
        .filter(|(path, _)| !but.iter().any(|but| path.starts_with(but)))
        .flat_map(|(path, text)| {
            code(&text)
                .filter(|line| needles.iter().any(|needle| line.contains(needle)))
                .map(|line| format!("{path}: {}", line.trim()))
                .collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn every_file_says_what_it_is() {
    let bad = all_rust_files().into_iter().filter(|(_, text)| !text.starts_with("//! "));
    assert_none(bad.map(|(path, _)| path).collect(), "a file starts with a `//!` head");
}

#[test]
fn files_stay_small() {
    let big = all_rust_files().into_iter().filter(|(_, text)| text.lines().count() > 800);
    assert_none(big.map(|(path, _)| path).collect(), "over 800 lines: which two things is it?");
}

#[test]
fn source_folders_hold_source() {
    let foreign = ["schema/src", "store/src", "mediabuild/src", "mediabuild/formats/src"]
        .iter()
        .flat_map(|folder| walkdir::WalkDir::new(root().join(folder)))
        .map(|entry| entry.expect("readable"))
        .filter(|entry| entry.file_type().is_file())
        .filter(|entry| entry.path().extension().is_none_or(|it| it != "rs" && it != "kdl"))
        .map(|entry| entry.path().display().to_string());
    assert_none(foreign.collect(), "what a tool left behind is no source");
}

#[test]
fn no_file_is_called_after_nothing() {
    const EMPTY_NAMES: [&str; 5] = ["util", "common", "helper", "manager", "misc"];
    let bad = all_rust_files().into_iter().map(|(path, _)| path).filter(|path| {
        let stem = Path::new(path).file_stem().expect("a name").to_string_lossy().into_owned();
        EMPTY_NAMES.iter().any(|name| stem == *name || stem == format!("{name}s"))
    });
    assert_none(bad.collect(), "a file is named after what it is");
}

#[test]
fn the_three_libraries_do_not_know_each_other() {
    for (folder, others) in [
        ("schema/Cargo.toml", ["mediabuild-store", "mediabuild-formats"]),
        ("store/Cargo.toml", ["mediabuild-schema", "mediabuild-formats"]),
        ("mediabuild/formats/Cargo.toml", ["mediabuild-schema", "mediabuild-store"]),
    ] {
        let manifest = fs::read_to_string(root().join(folder)).expect("a manifest");
        for other in others {
            assert!(!manifest.contains(other), "{folder} must not name {other}");
        }
    }
}

#[test]
fn formats_reach_nothing_outside() {
    const OUTSIDE: &[&str] = &[
        "std::fs",
        "std::env",
        "std::process",
        "std::net",
        "std::thread",
        "SystemTime",
        "Instant",
        "HashMap",
        "HashSet",
        "rayon",
        "rand::",
    ];
    let found = uses("mediabuild/formats/src", &[], OUTSIDE);
    assert_none(found, "formats know no file system, clock, environment, threads or hash order");
}

#[test]
fn unsafe_is_forbidden_in_formats_and_denied_elsewhere() {
    let manifest = |path: &str| fs::read_to_string(root().join(path)).expect("a manifest");
    assert!(manifest("mediabuild/formats/Cargo.toml").contains("unsafe_code = \"forbid\""));
    assert!(manifest("Cargo.toml").contains("unsafe_code = \"deny\""));
}

#[test]
fn libraries_and_builders_never_print() {
    const PRINT: &[&str] = &["println!", "print!(", "eprint", "std::io::stdout", "std::io::stderr"];
    for folder in ["schema/src", "store/src", "mediabuild/formats/src"] {
        assert_none(uses(folder, &[], PRINT), "only commands/ and progress.rs print");
    }
    let but =
        ["mediabuild/src/commands/", "mediabuild/src/progress.rs", "mediabuild/src/project.rs"];
    assert_none(uses("mediabuild/src", &but, PRINT), "only commands/ and progress.rs print");
}

#[test]
fn store_and_formats_meet_in_builders_only() {
    // `probe` and the looking commands read formats, and never the store.
    let may_read_formats = [
        "mediabuild/src/builders/",
        "mediabuild/src/commands/boot_test",
        "mediabuild/src/commands/diff",
        "mediabuild/src/commands/extract",
        "mediabuild/src/commands/inspect",
        "mediabuild/src/commands/usb",
        "mediabuild/src/commands/verify",
        "mediabuild/src/decode.rs",
        "mediabuild/src/probe",
    ];
    let formats = uses("mediabuild/src", &may_read_formats, &["mediabuild_formats"]);
    assert_none(
        formats,
        "formats are used in builders, probe, decode and the verbs that look only",
    );
    for place in &may_read_formats[1..] {
        let found = rust_files("mediabuild/src").into_iter().filter(|(path, text)| {
            path.starts_with(place) && code(text).any(|line| line.contains("mediabuild_store"))
        });
        assert_none(found.map(|(path, _)| path).collect(), "what looks at files knows no store");
    }
}

#[test]
fn one_place_starts_threads() {
    let but = ["mediabuild/src/schedule.rs"];
    let found =
        uses("mediabuild/src", &but, &["thread::spawn", "thread::scope", "ThreadPoolBuilder"]);
    assert_none(found, "schedule.rs alone starts threads");
}

#[test]
fn one_place_runs_builders() {
    let but = ["mediabuild/src/realise.rs", "mediabuild/src/builders/"];
    let found = uses("mediabuild/src", &but, &[".build(inputs", ".builder\n        .build("]);
    assert_none(found, "realise.rs alone calls Builder::build");
}

#[test]
fn builders_reach_nothing_but_their_context() {
    // Imports and fetches read the world: that is their job.
    let but = ["mediabuild/src/builders/import", "mediabuild/src/builders/fetch"];
    const OUTSIDE: &[&str] = &[
        "std::fs",
        "std::env",
        "std::process",
        "std::net",
        "std::thread",
        "SystemTime",
        "Instant",
        "jiff",
        "random",
    ];
    assert_none(
        uses("mediabuild/src/builders", &but, OUTSIDE),
        "only import and fetch read the world",
    );
}

#[test]
fn one_place_reaches_the_network() {
    const NETWORK: &[&str] = &["ureq", "std::net", "TcpStream", "UdpSocket"];
    for folder in ["schema/src", "store/src", "mediabuild/src"] {
        let found = uses(folder, &["mediabuild/src/builders/fetch"], NETWORK);
        assert_none(found, "builders/fetch alone reaches the network");
    }
}

#[test]
fn the_plan_does_no_io() {
    let plan = |path: &str| path.starts_with("mediabuild/src/plan");
    let io = uses("mediabuild/src", &[], &["std::fs", "std::env", "std::io"]);
    assert_none(io.into_iter().filter(|use_| plan(use_)).collect(), "the plan does no I/O");
}

#[test]
fn operating_system_calls_sit_in_one_module() {
    assert_none(uses("store/src", &["store/src/os"], &["rustix::"]), "store: rustix in os.rs only");
    assert_none(
        uses("mediabuild/src", &["mediabuild/src/os"], &["rustix::"]),
        "mediabuild: rustix in os.rs only",
    );
}

#[test]
fn every_test_file_has_an_entry() {
    let manifest = fs::read_to_string(root().join("mediabuild/Cargo.toml")).expect("a manifest");
    let named: BTreeSet<String> = manifest
        .lines()
        .filter_map(|line| line.trim().strip_prefix("path = \"../tests/"))
        .map(|rest| rest.trim_end_matches('"').to_owned())
        .collect();
    let entries = fs::read_dir(root().join("tests")).expect("tests/");
    let there: BTreeSet<String> = entries
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .filter_map(|name| match root().join("tests").join(&name).join("main.rs").exists() {
            true => Some(format!("{name}/main.rs")),
            false => name.ends_with(".rs").then_some(name),
        })
        .collect();
    assert_eq!(named, there, "tests/ and the [[test]] entries of mediabuild/Cargo.toml");
}

/// Folders that hold code, tests or documents: two levels of what is committed.
fn folders() -> BTreeSet<String> {
    let mut folders = BTreeSet::new();
    for entry in
        walkdir::WalkDir::new(root()).min_depth(1).max_depth(4).into_iter().filter_entry(wanted)
    {
        let entry = entry.expect("readable");
        if entry.file_type().is_dir() {
            let path = entry.path().strip_prefix(root()).expect("below the root");
            folders.insert(path.to_string_lossy().replace('\\', "/"));
        }
    }
    folders.retain(|folder| !folder.starts_with("examples/"));
    folders
}

fn wanted(entry: &walkdir::DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    !matches!(
        name.as_ref(),
        ".git" | "target" | "result" | "snapshots" | "corpus" | "artifacts" | "invalid" | "valid"
    ) && !name.ends_with(".proptest-regressions")
}

/// The folders that `ARCHITECTURE.md` names: `` `path/` `` with a slash at the end.
fn named_folders() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let mut named = BTreeSet::new();
    for piece in text.split('`').skip(1).step_by(2) {
        if let Some(folder) = piece.strip_suffix('/')
            && !folder.contains([' ', '*', '<', '\n'])
        {
            named.insert(folder.to_owned());
        }
    }
    named
}

#[test]
fn the_map_names_every_folder_and_every_named_folder_exists() {
    let (there, named) = (folders(), named_folders());
    let missing: Vec<String> = there.difference(&named).cloned().collect();
    assert_none(missing, "folders that ARCHITECTURE.md does not name");
    let gone = named.iter().filter(|folder| !root().join(folder).is_dir());
    assert_none(
        gone.cloned().collect(),
        "folders that ARCHITECTURE.md names and that do not exist",
    );
}

#[test]
fn dependencies_say_why() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("a manifest");
    let dependencies = manifest.split("[workspace.dependencies]").nth(1).expect("dependencies");
    let dependencies = dependencies.split("\n[").next().expect("a section");
    let silent = dependencies.lines().filter(|line| {
        line.contains(" = ")
            && !line.starts_with('#')
            && !line.contains("path =")
            && !line.contains(" # ")
    });
    assert_none(silent.map(str::to_owned).collect(), "each dependency has one line of why");
}
