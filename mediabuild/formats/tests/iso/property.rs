//! Any tree reads back; no damage makes the reader panic.

use std::sync::LazyLock;

use mediabuild_formats::iso::{BootEntry, Disc, Options, Tree, View};
use mediabuild_formats::volume::FileExtent;
use proptest::prelude::*;

use crate::content::{Content, bytes, options};
use crate::images::peer::{Scratch, find, run};
use crate::partitions::{metadata, sparable, virtual_disc};
use crate::read::{Listing, folder, listing};
use crate::write::{bootable, mirrored};

/// Names that Joliet takes too.
fn short_name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9][a-zA-Z0-9 ._-]{0,20}[a-zA-Z0-9_-]",
        "[a-c]{1,3}[.]{0,2}[a-c]{1,2}",
        "[é-ÿ]{1,8}",
        "[а-яЖ中💾]{1,12}",
        "x{60,64}",
    ]
}

/// Names of every kind a disc takes.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9][a-zA-Z0-9 ._-]{0,20}[a-zA-Z0-9_-]",
        "[é-ÿ]{1,8}",
        "[а-яЖ中💾]{1,12}",
        "x{200,254}",
    ]
}

fn files(
    name: impl Strategy<Value = String>,
) -> impl Strategy<Value = Vec<(Vec<String>, usize, u8)>> {
    let path = proptest::collection::vec(name, 1..5);
    let size = prop_oneof![Just(0), 1usize..5000, Just(2048), Just(1 << 20), Just((1 << 20) + 1)];
    proptest::collection::vec((path, size, any::<u8>()), 0..30)
}

fn expected(files: &[(Vec<String>, usize, u8)]) -> (Tree<Content>, Listing) {
    let (mut tree, mut listing) = (Tree::new(), Listing::new());
    for (components, size, fill) in files {
        let (path, bytes) = (components.join("/"), vec![*fill; *size]);
        // Names that collide are not what this test is about.
        if tree.insert(&path, Content::Bytes(bytes.clone()), *size as u64).is_err() {
            continue;
        }
        for (at, _) in path.match_indices('/') {
            listing.insert(path[..at].to_owned(), None);
        }
        listing.insert(path, Some(bytes));
    }
    (tree, listing)
}

fn all_options(label: &str, boot_size: Option<usize>) -> Options<Content> {
    let image =
        |size| BootEntry { content: Content::Bytes(vec![1; size]), size_bytes: size as u64 };
    let mut options = options(label);
    options.bios = boot_size.map(image);
    options.uefi = boot_size.map(|size| image(size + 1));
    options
}

/// A disc of every structure the writer makes, to damage.
static DISC: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let (tree, options) = bootable();
    bytes(&tree, &options)
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn trees_read_back(
        files in files(name()),
        label in "[a-zA-Zé中]{0,40}",
        boot_size in proptest::option::of(1usize..10_000),
    ) {
        let (tree, expected) = expected(&files);
        let bytes = bytes(&tree, &all_options(&label, boot_size));
        let disc = Disc::open(&bytes).unwrap();
        prop_assert_eq!(disc.label(View::Udf), Some(label.as_str()));
        prop_assert_eq!(disc.verify(&bytes), []);
        let entries = disc.walk(&bytes, View::Udf).unwrap();
        // Paths may come from a failed insertion's directories; files must be equal.
        let mut read = listing(&bytes, &entries);
        read.retain(|path, content| content.is_some() || expected.contains_key(path));
        prop_assert!(read == expected);
    }

    #[test]
    fn mirrored_trees_read_back(
        files in files(short_name()),
        boot_size in proptest::option::of(1usize..10_000),
    ) {
        let (tree, expected) = expected(&files);
        let bytes = bytes(&tree, &mirrored(&all_options("MIRROR", boot_size)));
        let disc = Disc::open(&bytes).unwrap();
        prop_assert_eq!(disc.verify(&bytes), []);
        for view in [View::Udf, View::Joliet] {
            let mut read = listing(&bytes, &disc.walk(&bytes, view).unwrap());
            read.retain(|path, content| content.is_some() || expected.contains_key(path));
            prop_assert!(read == expected, "{}", view.name());
        }
        let contents = |listing: &Listing| {
            let mut contents: Vec<Option<Vec<u8>>> =
                listing.values().filter(|content| content.is_some()).cloned().collect();
            contents.sort();
            contents
        };
        let short = listing(&bytes, &disc.walk(&bytes, View::Iso9660).unwrap());
        prop_assert_eq!(contents(&short), contents(&expected));
    }
}

/// The sectors that hold structures: volume descriptors, sequences, ISO 9660 tree, anchors, file
/// set, directories, file entries.
fn structure_offset() -> impl Strategy<Value = usize> {
    prop_oneof![
        16usize * 2048..23 * 2048,
        32usize * 2048..38 * 2048,
        48usize * 2048..54 * 2048,
        64usize * 2048..70 * 2048,
        256usize * 2048..500 * 2048,
    ]
}

/// One change: a byte, or a field of four.
fn changes() -> impl Strategy<Value = Vec<(usize, u32, bool)>> {
    let value = prop_oneof![any::<u32>(), Just(0), Just(u32::MAX), 0u32..300];
    proptest::collection::vec((structure_offset(), value, any::<bool>()), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn damaged_discs_never_panic(changes in changes(), is_resealed in any::<bool>(), cut in any::<bool>()) {
        let mut bytes = DISC.clone();
        for (at, value, is_wide) in changes {
            let size = if is_wide { 4 } else { 1 };
            let at = at.min(bytes.len() - 4);
            bytes[at..at + size].copy_from_slice(&value.to_le_bytes()[..size]);
            if is_resealed {
                // So that the change gets past the tag of its sector.
                let tag = &mut bytes[at / 2048 * 2048..];
                tag[4] = 0;
                tag[4] = tag[..16].iter().fold(0, |sum: u8, &byte| sum.wrapping_add(byte));
            }
            if cut {
                bytes.truncate((value as usize % bytes.len()).max(300 * 2048));
            }
        }
        read_everything(&bytes)?;
    }

    /// Metadata, virtual and sparable partitions, their own structures among the last sectors.
    #[test]
    fn damaged_partitions_never_panic(
        changes in changes(),
        at_the_end in proptest::collection::vec((4usize..8 * 2048, any::<u8>()), 0..4),
    ) {
        for disc in PARTITIONED_DISCS.iter() {
            let mut bytes = disc.clone();
            let size = bytes.len();
            let at_the_end = at_the_end.iter().map(|&(back, value)| (size - back, value.into(), false));
            for (at, value, is_wide) in changes.iter().copied().chain(at_the_end) {
                let count = if is_wide { 4 } else { 1 };
                bytes[at..at + count].copy_from_slice(&value.to_le_bytes()[..count]);
                let tag = &mut bytes[at / 2048 * 2048..];
                tag[4] = 0;
                tag[4] = tag[..16].iter().fold(0, |sum: u8, &byte| sum.wrapping_add(byte));
            }
            read_everything(&bytes)?;
        }
    }

    #[test]
    fn damaged_foreign_discs_never_panic(
        changes in proptest::collection::vec((16usize * 2048..800 * 2048, any::<u32>()), 1..40),
    ) {
        for disc in FOREIGN_DISCS.iter() {
            let mut bytes = disc.clone();
            for (at, value) in &changes {
                let at = at % (bytes.len() - 4);
                bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
            }
            read_everything(&bytes)?;
        }
    }
}

static PARTITIONED_DISCS: LazyLock<[Vec<u8>; 4]> =
    LazyLock::new(|| [metadata().0, virtual_disc(false), virtual_disc(true), sparable().0]);

/// Discs with Joliet and Rock Ridge trees.
static FOREIGN_DISCS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let make = |program: &str, arguments: &[&str]| {
        let mut command = find(program)?;
        let scratch = Scratch::new();
        let disc = scratch.path("disc.iso");
        run(command.args(arguments).arg("-o").arg(&disc).arg(folder(&scratch)));
        Some(std::fs::read(disc).expect("it was just written"))
    };
    let genisoimage = make("genisoimage", &["-quiet", "-udf", "-J", "-joliet-long", "-R"]);
    let xorriso = make("xorriso", &["-as", "mkisofs", "-quiet", "-J", "-joliet-long", "-R"]);
    genisoimage.into_iter().chain(xorriso).collect()
});

/// Every way to read: errors are fine, extents outside the disc are not.
fn read_everything(bytes: &Vec<u8>) -> Result<(), TestCaseError> {
    let Ok(disc) = Disc::open(bytes) else { return Ok(()) };
    let _ = disc.verify(bytes);
    let _ = disc.dump(bytes);
    for view in disc.views() {
        for entry in disc.walk(bytes, view).unwrap_or_default() {
            let is_inside = |extent: &FileExtent| {
                extent.offset_bytes.unwrap_or(0) + extent.size_bytes <= bytes.len() as u64
            };
            prop_assert!(entry.extents.iter().all(is_inside), "{entry:?}");
        }
    }
    Ok(())
}
