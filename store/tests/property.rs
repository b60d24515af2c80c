//! Properties: codecs round-trip and never panic; both readers say what the extents say.

use std::io::Read;

use mediabuild_store::{
    Batch, Content, Digest, Directory, DiskStore, Entry, EntryName, Extent, MemoryStore, Recipe,
    RecipeBuilder, Store,
};
use proptest::prelude::*;

/// One extent to append, as data.
#[derive(Debug, Clone)]
enum Step {
    Literal(Vec<u8>),
    Zeros(u64),
    Blob(u8, usize),
    /// The recipe built so far, as a content of a new one.
    Nest,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Step::Literal),
        2 => (0u64..5000).prop_map(Step::Zeros),
        4 => (any::<u8>(), 0usize..3000).prop_map(|(seed, size)| Step::Blob(seed, size)),
        1 => Just(Step::Nest),
    ];
    prop::collection::vec(step, 0..24)
}

fn blob(seed: u8, size_bytes: usize) -> Vec<u8> {
    let mut bytes = vec![0; size_bytes];
    blake3::Hasher::new().update(&[seed]).finalize_xof().fill(&mut bytes);
    bytes
}

/// Stores the steps as a recipe; answers it and the bytes it must make.
fn build(steps: &[Step], batch: &mut dyn Batch) -> (Recipe, Vec<u8>) {
    let (mut builder, mut expected) = (RecipeBuilder::new(), Vec::new());
    for step in steps {
        match step {
            Step::Literal(bytes) => {
                builder.literal(bytes);
                expected.extend_from_slice(bytes);
            }
            Step::Zeros(size_bytes) => {
                builder.zeros(*size_bytes);
                expected.resize(expected.len() + *size_bytes as usize, 0);
            }
            Step::Blob(seed, size_bytes) => {
                let bytes = blob(*seed, *size_bytes);
                builder.content(batch.put_bytes(&bytes).unwrap());
                expected.extend_from_slice(&bytes);
            }
            Step::Nest => {
                let inner = std::mem::take(&mut builder).finish();
                builder.content(batch.put_recipe(&inner).unwrap());
            }
        }
        assert_eq!(builder.position_bytes(), expected.len() as u64);
    }
    (builder.finish(), expected)
}

fn check_reads(store: &dyn Store, steps: &[Step], ranges: &[(usize, usize)], buffer_bytes: usize) {
    let mut batch = store.batch().unwrap();
    let (recipe, expected) = build(steps, &mut *batch);
    let content = batch.put_recipe(&recipe).unwrap();
    batch.commit().unwrap();

    let (mut reader, mut read) = (store.open(&content.digest).unwrap(), Vec::new());
    let mut buffer = vec![0; buffer_bytes];
    while let size_bytes @ 1.. = reader.read(&mut buffer).unwrap() {
        read.extend_from_slice(&buffer[..size_bytes]);
    }
    assert!(read == expected, "sequential");

    let reader = store.open_at(&content.digest).unwrap();
    for (one, two) in ranges {
        let (one, two) = (one % (expected.len() + 1), two % (expected.len() + 1));
        let (start, end) = (one.min(two), one.max(two));
        let mut bytes = vec![0xff; end - start];
        reader.read_exact_at(start as u64, &mut bytes).unwrap();
        assert!(bytes == expected[start..end], "random access to {start}..{end}");
    }
}

fn content() -> impl Strategy<Value = Content> {
    (any::<[u8; 32]>(), 0u64..1 << 40)
        .prop_map(|(bytes, size_bytes)| Content { digest: Digest::from_bytes(bytes), size_bytes })
}

fn directory() -> impl Strategy<Value = Directory> {
    let entry = prop_oneof![
        content().prop_map(Entry::File),
        any::<[u8; 32]>().prop_map(|bytes| Entry::Directory(Digest::from_bytes(bytes))),
    ];
    prop::collection::vec(("\\PC{1,20}", entry), 0..20).prop_map(|entries| {
        let mut directory = Directory::new();
        for (name, entry) in entries {
            if let Ok(name) = EntryName::parse(&name) {
                // Collisions are left out.
                let _ = directory.insert(name, entry);
            }
        }
        directory
    })
}

proptest! {
    #[test]
    fn a_recipe_survives_the_round_trip(steps in steps()) {
        let store = MemoryStore::new();
        let (recipe, _) = build(&steps, &mut *store.batch().unwrap());
        let bytes = recipe.encode();
        prop_assert_eq!(Recipe::decode(&bytes).unwrap(), recipe.clone());
        prop_assert!(recipe.extents().iter().all(|extent| extent.size_bytes() > 0));
        let same_kind = |pair: &[Extent]| {
            !matches!(pair[0], Extent::Content(_))
                && std::mem::discriminant(&pair[0]) == std::mem::discriminant(&pair[1])
        };
        prop_assert!(!recipe.extents().windows(2).any(same_kind));
        for end in 0..bytes.len() {
            // A cut encoding is refused, or it is the encoding of a shorter recipe.
            if let Ok(shorter) = Recipe::decode(&bytes[..end]) {
                prop_assert_eq!(shorter.encode(), &bytes[..end]);
            }
        }
    }

    #[test]
    fn a_directory_survives_the_round_trip(directory in directory()) {
        let bytes = directory.encode();
        prop_assert_eq!(Directory::decode(&bytes).unwrap(), directory);
    }

    #[test]
    fn decoding_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for magic in [&b""[..], b"MBRECIP1", b"MBDIREC1"] {
            let bytes = [magic, &bytes].concat();
            // What decodes is canonical: it encodes to the same bytes.
            if let Ok(recipe) = Recipe::decode(&bytes) {
                prop_assert_eq!(recipe.encode(), &bytes[..]);
            }
            if let Ok(directory) = Directory::decode(&bytes) {
                prop_assert_eq!(directory.encode(), &bytes[..]);
            }
        }
    }

    #[test]
    fn a_changed_encoding_never_panics(steps in steps(), at in any::<usize>(), byte in any::<u8>()) {
        let store = MemoryStore::new();
        let (recipe, _) = build(&steps, &mut *store.batch().unwrap());
        let mut bytes = recipe.encode();
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok(recipe) = Recipe::decode(&bytes) {
            prop_assert_eq!(recipe.encode(), bytes);
        }
    }

    #[test]
    fn readers_agree_in_memory(
        steps in steps(),
        ranges in prop::collection::vec(any::<(usize, usize)>(), 8),
        buffer_bytes in prop_oneof![1usize..5000, 60_000usize..200_000],
    ) {
        check_reads(&MemoryStore::new(), &steps, &ranges, buffer_bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn readers_agree_on_disk(
        steps in steps(),
        ranges in prop::collection::vec(any::<(usize, usize)>(), 8),
        buffer_bytes in prop_oneof![1usize..5000, 60_000usize..200_000],
    ) {
        let folder = tempfile::tempdir().unwrap();
        check_reads(&DiskStore::open(folder.path()).unwrap(), &steps, &ranges, buffer_bytes);
    }
}
