//! ISO 9660 and Joliet beside UDF: files above 4 GiB, many folders, and what these trees do not take.

use mediabuild_formats::iso::{Disc, Tree, View, WriteError, measure, write};
use mediabuild_formats::layout::Layout;
use mediabuild_formats::volume::Entry;

use crate::content::{Content, LayoutSource, bytes, layout, options, tree};
use crate::write::mirrored;

#[test]
fn a_file_above_4_gib_has_one_run_of_bytes_in_every_tree() {
    for size_bytes in [(1 << 32) - 2049, (1 << 32) - 2048, (1 << 32) - 1, 1 << 32, 9_000_000_001] {
        let mut tree = Tree::new();
        tree.insert("sources/install.wim", Content::Marked(vec![]), size_bytes).unwrap();
        tree.insert("after.txt", Content::Bytes(b"behind it".to_vec()), 9).unwrap();
        let (layout, _) = layout(&tree, &mirrored(&options("LARGE")));
        let source = LayoutSource::of(&layout);
        let disc = Disc::open(&source).unwrap();
        assert_eq!(disc.verify(&source), []);
        let found = |view| {
            let entries = disc.walk(&source, view).unwrap();
            entries.into_iter().find(|entry| entry.size_bytes == size_bytes).expect("the file")
        };
        let (udf, joliet, iso) = (found(View::Udf), found(View::Joliet), found(View::Iso9660));
        assert_eq!((udf.path.as_str(), &udf.path), ("sources/install.wim", &joliet.path));
        assert_eq!(iso.path, "SOURCES/INSTALL.WIM");
        assert_eq!([run(&joliet), run(&iso)], [run(&udf); 2]);
        assert_eq!(joliet.extents.len(), size_bytes.div_ceil((1 << 32) - 2048) as usize);
    }
}

/// Where a file lies if it lies in one run.
fn run(entry: &Entry) -> (u64, u64) {
    let first = entry.extents[0].offset_bytes.expect("no hole");
    let mut next = first;
    for extent in &entry.extents {
        assert_eq!(extent.offset_bytes, Some(next));
        next += extent.size_bytes;
    }
    (first, next)
}

#[test]
fn thousands_of_folders_and_like_names_are_all_there() {
    let mut tree = Tree::new();
    for at in 0..3000 {
        let path = format!("a folder like every other {at}/a file like every other.{}", at % 7);
        tree.insert(&path, Content::Bytes(path.clone().into_bytes()), path.len() as u64).unwrap();
        let beside = format!("beside each other/a file like every other {at}.txt");
        tree.insert(&beside, Content::Bytes(vec![]), 0).unwrap();
    }
    let options = mirrored(&options("MANY"));
    let (layout, written) = layout(&tree, &options);
    assert_eq!(measure(&tree, &options), Ok(written.size_bytes));
    let source = LayoutSource::of(&layout);
    let disc = Disc::open(&source).unwrap();
    assert_eq!(disc.verify(&source), []);
    for view in [View::Udf, View::Joliet, View::Iso9660] {
        assert_eq!(disc.walk(&source, view).unwrap().len(), 9001, "{}", view.name());
    }
}

/// ECMA-119 9.3: the version is no part of the extension.
#[test]
fn names_are_in_the_order_of_the_standard() {
    let names = ["foo", "foo.1", "x.a", "x.a1"];
    let tree = tree(&names.map(|name| (name, name.as_bytes().to_vec())));
    let disc = bytes(&tree, &mirrored(&options("ORDER")));
    let opened = Disc::open(&disc).unwrap();
    let entries = opened.walk(&disc, View::Iso9660).unwrap();
    let walked: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(walked, ["FOO", "FOO.1", "X.A", "X.A1"]);
}

#[test]
fn what_the_mirror_does_not_take_is_named_with_a_way_out() {
    let refused = |path: &str| {
        let tree = tree(&[(path, vec![1])]);
        let mut sink = Layout::default();
        assert!(write(&tree, &options("X"), &mut sink).is_ok(), "UDF takes {path}");
        write(&tree, &mirrored(&options("X")), &mut sink).unwrap_err()
    };
    let long = format!("folder/{}", "x".repeat(65));
    for path in [&long, "a/b;1.txt", &format!("a/{}", "\u{1f4bf}".repeat(33))] {
        let WriteError::Mirror { path: told, reason } = refused(path) else { panic!("{path}") };
        assert_eq!(told, path);
        assert!(reason.contains("leave `mirror` out"), "{reason}");
    }
    let WriteError::Mirror { path, .. } = refused("1/2/3/4/5/6/7/8/file") else { panic!("deep") };
    assert_eq!(path, "1/2/3/4/5/6/7/8");
    let eight = tree(&[("1/2/3/4/5/6/7/file", vec![1]), (&"y".repeat(64), vec![1])]);
    assert!(write(&eight, &mirrored(&options("X")), &mut Layout::default()).is_ok());
}

#[test]
fn a_disc_without_mirror_has_no_joliet() {
    let (layout, _) = layout(&tree(&[("a.txt", vec![1])]), &options("X"));
    let source = LayoutSource::of(&layout);
    let disc = Disc::open(&source).unwrap();
    assert!(disc.walk(&source, View::Joliet).is_err());
    assert_eq!(disc.walk(&source, View::Iso9660).unwrap()[0].path, "README.TXT");
}
