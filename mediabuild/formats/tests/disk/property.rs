//! Any tree reads back; no damage makes a reader panic or leave the volume.

use std::sync::LazyLock;

use mediabuild_formats::fat::{Tree, Variant, Volume, smallest_size_bytes};
use mediabuild_formats::partition::{Guid, Scheme, Table};
use mediabuild_formats::volume::FileExtent;
use proptest::prelude::*;

use crate::content::{Listing, MIB, files, layout, listing, options, tree};
use crate::images::bytes;
use crate::partition::disk;

/// Names of every kind a volume takes.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9][a-zA-Z0-9 ._+,;=-]{0,20}[a-zA-Z0-9_-]",
        "[A-Z]{1,8}(\\.[A-Z]{1,3})?",
        "[ab]{9,10}",
        "\\.[a-z]{1,4}",
        "[é-ÿ]{1,8}",
        "[а-яЖ中💾]{1,12}",
        "x{100,120}",
    ]
}

fn trees() -> impl Strategy<Value = Vec<(Vec<String>, usize, u8)>> {
    let path = proptest::collection::vec(name(), 1..5);
    let size = prop_oneof![
        Just(0),
        1usize..5000,
        Just(512),
        Just(4096),
        Just(1 << 20),
        Just((1 << 20) + 1)
    ];
    proptest::collection::vec((path, size, any::<u8>()), 0..30)
}

fn variant() -> impl Strategy<Value = Variant> {
    prop_oneof![Just(Variant::Fat12), Just(Variant::Fat16), Just(Variant::Fat32)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn trees_read_back(files in trees(), variant in variant(), more_mib in 0u64..3) {
        let (mut tree, mut expected) = (Tree::new(), Listing::new());
        for (components, size, fill) in &files {
            let (path, bytes) = (components.join("/"), vec![*fill; *size]);
            // Names that collide are not what this test is about.
            if tree.insert(&path, bytes.clone(), *size as u64).is_ok() {
                for (at, _) in path.match_indices('/') {
                    expected.insert(path[..at].to_owned(), None);
                }
                expected.insert(path, Some(bytes));
            }
        }
        let smallest = smallest_size_bytes(&tree, variant, true);
        prop_assume!(variant == Variant::Fat32 || smallest.is_ok());
        let smallest_bytes = smallest.unwrap();
        let mut options = options(variant, smallest_bytes);
        if variant == Variant::Fat32 {
            options.size_bytes += more_mib * MIB;
        }
        let bytes = bytes(&layout(&tree, &options));
        let volume = Volume::open(&bytes).unwrap();
        prop_assert_eq!(volume.variant(), variant);
        prop_assert_eq!(volume.verify(&bytes), []);
        // Paths may come from a failed insertion's directories; files must be equal.
        let mut read = listing(&bytes, &volume);
        read.retain(|path, content| content.is_some() || expected.contains_key(path));
        prop_assert!(read == expected);
    }
}

/// Volumes to damage: all variants, small ones.
static VOLUMES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let small: Vec<_> = files().into_iter().filter(|(_, bytes)| bytes.len() < 5000).collect();
    let tree = tree(&small);
    let make = |(variant, mib)| bytes(&layout(&tree, &options(variant, mib * MIB)));
    [(Variant::Fat12, 1), (Variant::Fat16, 4), (Variant::Fat32, 34)].map(make).into()
});

/// Where structures are: boot sector, FATs, the first clusters.
fn change() -> impl Strategy<Value = (usize, u32, bool)> {
    let at = prop_oneof![0usize..600, 0usize..20_000, 500_000usize..640_000, 0usize..700_000];
    let value = prop_oneof![any::<u32>(), Just(0), Just(u32::MAX), 0u32..300];
    (at, value, any::<bool>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn damaged_volumes_never_panic(
        changes in proptest::collection::vec(change(), 1..12),
        cut in proptest::option::of(any::<u32>()),
    ) {
        for whole in VOLUMES.iter() {
            let mut bytes = whole[..whole.len().min(2 << 20)].to_vec();
            bytes.resize(whole.len(), 0);
            for (at, value, is_wide) in &changes {
                let size = if *is_wide { 4 } else { 1 };
                let at = at % (bytes.len() - 4);
                bytes[at..at + size].copy_from_slice(&value.to_le_bytes()[..size]);
            }
            if let Some(cut) = cut {
                bytes.truncate(cut as usize % bytes.len());
            }
            let Ok(volume) = Volume::open(&bytes) else { continue };
            let _ = volume.verify(&bytes);
            for entry in volume.walk(&bytes).unwrap_or_default() {
                let is_inside = |extent: &FileExtent| {
                    extent.offset_bytes.unwrap_or(0) + extent.size_bytes <= bytes.len() as u64
                };
                prop_assert!(entry.extents.iter().all(is_inside), "{entry:?}");
                let sum: u64 = entry.extents.iter().map(|extent| extent.size_bytes).sum();
                prop_assert_eq!(sum, entry.size_bytes);
            }
        }
    }

    #[test]
    fn damaged_tables_never_panic(
        changes in proptest::collection::vec((0usize..2048, any::<u32>()), 1..8),
        is_gpt in any::<bool>(),
    ) {
        let mut bytes = DISKS[usize::from(is_gpt)].clone();
        for (at, value) in changes {
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        let Ok(table) = Table::read(&bytes) else { return Ok(()) };
        for it in table.partitions {
            prop_assert!(it.start_bytes + it.size_bytes <= bytes.len() as u64);
        }
    }
}

static DISKS: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
    let ids = (Guid::of_bytes([1; 16]), Guid::of_bytes([2; 16]));
    let gpt = Scheme::Gpt { disk: ids.0, partition: ids.1 };
    [Scheme::Mbr { disk_id: 7 }, gpt].map(|scheme| {
        // The tables, not what is between them.
        let mut bytes = disk(scheme);
        let end = bytes.len() - 65_536;
        bytes[65_536..end].fill(0);
        bytes
    })
});
