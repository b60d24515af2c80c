//! A build with nothing to do: it reads no input's content, and what is remembered decides nothing.

mod harness;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::{Run, TestSpace, tool};

/// Until files that were just written are no longer racy.
const SETTLED: Duration = Duration::from_millis(2100);

/// Inputs that were there for a while, built.
fn settled_space() -> TestSpace {
    let space = TestSpace::quickstart();
    std::thread::sleep(SETTLED);
    space.build(&[]);
    space
}

/// The folders that the quickstart's definitions name.
const FOLDERS: [&str; 5] = ["apps/", "drivers/", "inputs/", "overlay/", "packages/"];

/// The files in them.
fn inputs(space: &TestSpace) -> Vec<PathBuf> {
    let names = harness::tree(&space.project()).into_keys();
    let names = names.filter(|name| FOLDERS.iter().any(|folder| name.starts_with(folder)));
    names.map(|name| space.project().join(name)).collect()
}

/// A build under strace: the reads of each file that was opened, as offset and size.
fn reads(space: &TestSpace, flags: &[&str]) -> Option<BTreeMap<PathBuf, Vec<(u64, u64)>>> {
    let traces = space.path().join("traces");
    fs::create_dir_all(&traces).expect("a folder");
    let mut strace = tool("strace")?;
    // A file for each thread: in one file, calls of two threads interrupt each other's lines.
    strace.args(["-ff", "-y", "-e", "trace=open,openat,openat2,read,pread64", "-o"]);
    strace.arg(traces.join("thread"));
    strace.arg("--").arg(env!("CARGO_BIN_EXE_mediabuild")).arg("build").args(flags);
    let run = Run::of(strace.current_dir(space.project()).env("MEDIABUILD_STORE", space.store()));
    run.expect(0);
    assert_eq!(run.built_and_known().0, 0, "{}", run.stderr);
    let mut reads: BTreeMap<PathBuf, Vec<(u64, u64)>> = BTreeMap::new();
    for trace in harness::tree(&traces).values() {
        for (path, read) in String::from_utf8_lossy(trace).lines().filter_map(traced) {
            reads.entry(path).or_default().extend(read);
        }
    }
    Some(reads)
}

/// The file that a line is about: one that was opened, or a range that was read.
fn traced(line: &str) -> Option<(PathBuf, Option<(u64, u64)>)> {
    let (call, result) = line.rsplit_once(" = ")?;
    if call.contains("open") {
        let path = result.split_once('<')?.1.strip_suffix('>')?;
        return (!call.contains("O_DIRECTORY")).then(|| (path.into(), None));
    }
    let (_, rest) = call.split_once("(")?;
    let path = rest.split_once('<')?.1.split_once('>')?.0;
    let size = result.split_whitespace().next()?.parse().ok()?;
    let offset = call.rsplit_once(", ")?.1.strip_suffix(')')?.parse();
    let offset = if call.contains("pread64") { offset.ok()? } else { 0 };
    Some((path.into(), Some((offset, size))))
}

/// Where a WIM's header, blob table and XML lie: what tells which images it has.
fn wim_structure(path: &Path) -> Vec<std::ops::Range<u64>> {
    let bytes = fs::read(path).expect("a WIM");
    let number = |at: usize, size: usize| {
        bytes[at..at + size].iter().rev().fold(0u64, |number, byte| number << 8 | u64::from(*byte))
    };
    let resource = |at: usize| number(at + 8, 8)..number(at + 8, 8) + number(at, 7);
    vec![0..208, resource(0x30), resource(0x48)]
}

#[test]
fn an_unchanged_build_reads_no_input() {
    let space = settled_space();
    let Some(reads) = reads(&space, &[]) else { return };
    assert!(reads.keys().any(|path| path.ends_with("mediabuild.kdl")), "{reads:?}");
    for input in inputs(&space) {
        let Some(ranges) = reads.get(&input) else { continue };
        assert!(input.extension().is_some_and(|it| it == "wim"), "{} is opened", input.display());
        let structure = wim_structure(&input);
        for (offset, size) in ranges {
            let is_structure =
                |part: &std::ops::Range<u64>| part.contains(offset) && offset + size <= part.end;
            assert!(structure.iter().any(is_structure), "{offset}+{size} of {}", input.display());
        }
    }
}

#[test]
fn a_paranoid_build_reads_every_input() {
    let space = settled_space();
    let Some(reads) = reads(&space, &["--paranoid"]) else { return };
    // Left out by a filter.
    for input in inputs(&space).iter().filter(|input| !input.ends_with("demo.pdb")) {
        let bytes: u64 = reads.get(input).map_or(0, |ranges| ranges.iter().map(|it| it.1).sum());
        let size = input.metadata().expect("there").len();
        assert!(bytes >= size, "{bytes} of {size} bytes of {} are read", input.display());
    }
}
