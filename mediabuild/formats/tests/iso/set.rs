//! Disc sets: what lies where, that every disc fits and reads back; sizes of files that matter.

use std::collections::BTreeSet;

use mediabuild_formats::iso::{
    Disc, Options, SetError, SetFile, SetRequest, Share, Tree, View, distribute, measure,
};
use mediabuild_formats::layout::Layout;
use mediabuild_formats::source::Source;

use crate::content::{Content, LayoutSource, layout, options};

/// The smaller of the two sizes of DVDs.
const DVD_BYTES: u64 = 4_700_372_992;
const MARK_BYTES: u64 = 16;

/// A file that is zeros but for its path at the start and at the end.
fn file(path: &str, size_bytes: u64) -> SetFile<Content> {
    let mut mark = path.as_bytes().to_vec();
    mark.resize(MARK_BYTES as usize, b'.');
    let at = if size_bytes < MARK_BYTES { vec![] } else { vec![0, size_bytes - MARK_BYTES] };
    let marks = at.into_iter().map(|at| (at, mark.clone()));
    // Also the size, so that no two files are one content.
    let marks = marks.chain([(size_bytes, path.as_bytes().to_vec())]);
    SetFile { path: path.to_owned(), content: Content::Marked(marks.collect()), size_bytes }
}

fn unit(name: &str, sizes: &[u64]) -> Vec<SetFile<Content>> {
    let path = |at| format!("{name}/{at:03}");
    sizes.iter().enumerate().map(|(at, &size)| file(&path(at), size)).collect()
}

struct Set {
    start: Vec<SetFile<Content>>,
    every: Vec<SetFile<Content>>,
    units: Vec<Vec<SetFile<Content>>>,
    capacity_bytes: u64,
    first: Options<Content>,
    others: Options<Content>,
}

impl Set {
    fn new(capacity_bytes: u64, start_bytes: u64, units: Vec<Vec<SetFile<Content>>>) -> Set {
        let start = vec![file("sources/boot.wim", start_bytes)];
        let every = vec![file("set.json", 16 << 10)];
        let (first, others) = (options("SET 1"), options("SET 2"));
        Set { start, every, units, capacity_bytes, first, others }
    }

    fn distribute(&self) -> Result<Vec<Vec<Share>>, SetError> {
        let Set { start, every, units, capacity_bytes, first, others } = self;
        let capacity_bytes = *capacity_bytes;
        distribute(&SetRequest { start, every, units, capacity_bytes, first, others })
    }

    /// Units by disc, a `+` behind those that are not whole.
    fn shown(&self) -> Vec<String> {
        let shares = self.distribute().expect("a set");
        let show = |share: &Share| match share.files.len() == self.units[share.unit].len() {
            true => share.unit.to_string(),
            false => format!("{}+", share.unit),
        };
        shares.iter().map(|disc| disc.iter().map(show).collect::<Vec<_>>().join(" ")).collect()
    }

    fn files_of(&self, disc: usize, shares: &[Share]) -> Vec<&SetFile<Content>> {
        let start = if disc == 0 { self.start.as_slice() } else { &[] };
        let content = shares.iter().flat_map(|it| &self.units[it.unit][it.files.clone()]);
        start.iter().chain(&self.every).chain(content).collect()
    }

    /// Every disc: no larger than allowed, without a finding, with its files and their ends.
    fn survives(&self) -> Vec<u64> {
        let mut met = BTreeSet::new();
        let mut sizes = Vec::new();
        for (at, shares) in self.distribute().expect("a set").iter().enumerate() {
            let files = self.files_of(at, shares);
            let mut tree = Tree::new();
            for file in &files {
                tree.insert(&file.path, file.content.clone(), file.size_bytes).expect("a path");
            }
            let options = if at == 0 { &self.first } else { &self.others };
            let (layout, written) = layout(&tree, options);
            assert!(written.size_bytes <= self.capacity_bytes, "disc {at}: {written:?}");
            assert_eq!(measure(&tree, options), Ok(written.size_bytes));
            reads_back(&layout, &files);
            sizes.push(written.size_bytes);
            let content = files.iter().map(|file| file.path.clone());
            met.extend(content.filter(|path| path != "set.json"));
        }
        let wanted = self.start.iter().chain(self.units.iter().flatten());
        assert_eq!(met, wanted.map(|file| file.path.clone()).collect());
        sizes
    }
}

fn reads_back(layout: &Layout<Content>, files: &[&SetFile<Content>]) {
    let source = LayoutSource::of(layout);
    let disc = Disc::open(&source).expect("a disc");
    assert_eq!(disc.verify(&source), []);
    let entries = disc.walk(&source, View::Udf).expect("a tree");
    assert_eq!(entries.iter().filter(|entry| !entry.is_directory).count(), files.len());
    for file in files {
        let entry = entries.iter().find(|entry| entry.path == file.path).expect("the file");
        assert_eq!(entry.size_bytes, file.size_bytes, "{}", file.path);
        let sizes: u64 = entry.extents.iter().map(|extent| extent.size_bytes).sum();
        assert_eq!(sizes, file.size_bytes);
        let Content::Marked(marks) = &file.content else { panic!("all are marked") };
        for (at, mark) in marks.iter().filter(|(at, _)| *at < file.size_bytes) {
            assert_eq!(&read(&source, &entry.extents, *at), mark, "{} at {at}", file.path);
        }
    }
}

/// A mark's bytes, taken extent by extent as any reader has to.
fn read(
    source: &LayoutSource<'_>,
    extents: &[mediabuild_formats::volume::FileExtent],
    at: u64,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    for wanted in at..at + MARK_BYTES {
        let mut before = 0;
        for extent in extents {
            if wanted < before + extent.size_bytes {
                let mut byte = [0];
                let start = extent.offset_bytes.expect("no holes");
                source.read_exact_at(start + wanted - before, &mut byte).expect("inside");
                bytes.extend(byte);
                break;
            }
            before += extent.size_bytes;
        }
    }
    bytes
}

#[test]
fn twelve_gigabytes_over_three_dvds_read_back() {
    let mut units: Vec<_> =
        (0..20).map(|at| unit(&format!("u{at:02}"), &[500 << 20, (1 << 20) + at, 2047])).collect();
    units.push(unit("big", &[1_900_000_001]));
    let set = Set::new(DVD_BYTES, 400_000_000, units);
    let sizes = set.survives();
    assert_eq!(sizes.len(), 3, "{sizes:?}");
    assert!(sizes.iter().sum::<u64>() > 12_000_000_000, "{sizes:?}");
}

#[test]
fn sizes_around_every_limit_read_back() {
    let around = |size: u64| [size - 1, size, size + 1];
    let sizes: Vec<u64> =
        [2048, (1 << 30) - 2048, 1 << 30, 2 << 30, 4 << 30].into_iter().flat_map(around).collect();
    let units = sizes.iter().map(|size| unit(&format!("of{size}"), &[*size])).collect();
    // A blu-ray takes them all: nothing is cut but extents.
    let sizes = Set::new(50_050_629_632, 1 << 20, units).survives();
    assert_eq!(sizes.len(), 1);
}

#[test]
fn units_go_where_they_fit_first_in_their_order() {
    let mib = |count: u64| count << 20;
    let units = [5, 6, 3, 4, 1].map(|size| unit(&format!("u{size}"), &[mib(size)]));
    let set = Set::new(mib(10), mib(1), units.to_vec());
    assert_eq!(set.shown(), ["0 2", "1 4", "3"].map(str::to_owned));
    set.survives();
}

#[test]
fn a_small_edit_moves_only_what_has_to_move() {
    let units: Vec<_> =
        (0..40).map(|at| unit(&format!("u{at:02}"), &[(1 + at % 3) << 20; 2])).collect();
    let before = Set::new(20 << 20, 1 << 20, units.clone());
    let mut edited = units;
    edited[7][0] = file("u07/000", (2 << 20) - 500);
    let after = Set { units: edited, ..Set::new(20 << 20, 1 << 20, Vec::new()) };
    assert_eq!(before.shown(), after.shown());
    assert_eq!(before.shown().len(), 9);
}

#[test]
fn a_unit_larger_than_a_disc_spans_discs_of_its_own() {
    let units = vec![
        unit("a", &[3 << 20]),
        unit("large", &[(1 << 20) + 1; 30]),
        unit("c", &[3 << 20, 1]),
        unit("d", &[8 << 20]),
    ];
    let set = Set::new(14 << 20, 1 << 20, units);
    assert_eq!(set.shown(), ["0 2", "1+", "1+", "1+ 3"].map(str::to_owned));
    set.survives();
}

#[test]
fn a_disc_that_is_exactly_full_is_full() {
    let mut set = Set::new(1 << 30, 1 << 20, vec![unit("a", &[5 << 20]), unit("b", &[9000])]);
    let whole = set.survives()[0];
    set.capacity_bytes = whole;
    assert_eq!(set.survives(), [whole]);
    set.capacity_bytes = whole - 1;
    assert_eq!(set.shown(), ["0", "1"].map(str::to_owned));
    set.survives();
}

#[test]
fn equal_files_of_one_disc_count_once() {
    let mut copies = Vec::new();
    for at in 0..20 {
        let SetFile { content, size_bytes, .. } = file("copy", 4 << 20);
        copies.push(vec![SetFile { path: format!("{at}/copy"), content, size_bytes }]);
    }
    assert_eq!(Set::new(10 << 20, 1 << 20, copies).shown().len(), 1);
}

#[test]
fn what_fits_no_disc_is_named() {
    let error = |start, sizes: &[u64]| {
        Set::new(8 << 20, start, vec![unit("u", sizes)]).distribute().expect_err("too large")
    };
    let said = error(1 << 20, &[5, 9 << 20]).to_string();
    assert!(said.contains("`u/001` has 9437184 bytes and fits no disc"), "{said}");
    let said = error(9 << 20, &[5]).to_string();
    assert!(said.contains("`sources/boot.wim` with 9437184 bytes"), "{said}");
}
