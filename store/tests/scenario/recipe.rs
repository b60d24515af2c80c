//! Recipes: literals, zeros and contents that read as one file.

use std::io::{ErrorKind, Read};

use mediabuild_store::{Content, Digest, Error, Extent, RecipeBuilder, Store};

use super::{commit, noise, put, read};

pub(crate) fn a_recipe_reads_as_its_extents(store: &dyn Store) {
    let (small, large) = (put(store, b"small"), put(store, &noise(1, 3 << 20)));
    let mut builder = RecipeBuilder::new();
    builder.literal(b"head");
    builder.zeros(5000);
    builder.content(large);
    builder.content(small);
    assert_eq!(builder.position_bytes(), 4 + 5000 + large.size_bytes + 5);
    let recipe = builder.finish();
    let content = commit(store, |batch| batch.put_recipe(&recipe).unwrap());

    assert_eq!(content, recipe.content());
    assert_eq!(store.find(&content.digest).unwrap(), Some(content));
    assert_eq!(store.recipe(&content.digest).unwrap(), Some(recipe));
    assert_eq!(store.recipe(&small.digest).unwrap(), None);
    let expected = [&b"head"[..], &[0; 5000], &noise(1, 3 << 20), b"small"].concat();
    assert_eq!(read(store, &content.digest), expected);
}

/// A recipe of `count` copies of `inner`, each behind a literal.
fn copies(store: &dyn Store, inner: Content, count: usize) -> Content {
    let mut builder = RecipeBuilder::new();
    for _ in 0..count {
        builder.literal(b"<");
        builder.content(inner);
    }
    commit(store, |batch| batch.put_recipe(&builder.finish()).unwrap())
}

pub(crate) fn recipes_nest(store: &dyn Store) {
    let blob = put(store, b"ab");
    let outer = copies(store, copies(store, blob, 2), 2);
    assert_eq!(read(store, &outer.digest), b"<<ab<ab<<ab<ab");
    let reader = store.open_at(&outer.digest).unwrap();
    let mut bytes = [0; 5];
    reader.read_exact_at(5, &mut bytes).unwrap();
    assert_eq!(&bytes, b"ab<<a");
}

pub(crate) fn random_access_crosses_extents(store: &dyn Store) {
    let blob = put(store, b"0123456789");
    let mut builder = RecipeBuilder::new();
    for _ in 0..3 {
        builder.literal(b"ab");
        builder.zeros(3);
        builder.content(blob);
    }
    let content = commit(store, |batch| batch.put_recipe(&builder.finish()).unwrap());
    let whole = read(store, &content.digest);
    let reader = store.open_at(&content.digest).unwrap();
    for start in 0..whole.len() {
        for end in start..whole.len() {
            let mut bytes = vec![0xff; end - start];
            reader.read_exact_at(start as u64, &mut bytes).unwrap();
            assert_eq!(bytes, whole[start..end]);
        }
    }
}

pub(crate) fn reading_past_the_end_is_an_error(store: &dyn Store) {
    let blob = put(store, b"abc");
    for content in [blob, copies(store, blob, 2)] {
        let reader = store.open_at(&content.digest).unwrap();
        for offset_bytes in [content.size_bytes, content.size_bytes - 1, u64::MAX] {
            let error = reader.read_exact_at(offset_bytes, &mut [0; 2]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        }
        reader.read_exact_at(content.size_bytes, &mut []).unwrap();
    }
}

pub(crate) fn a_recipe_needs_its_contents(store: &dyn Store) {
    let missing = Content { digest: Digest::of(b"missing"), size_bytes: 7 };
    let mut builder = RecipeBuilder::new();
    builder.content(missing);
    let error = store.batch().unwrap().put_recipe(&builder.finish()).unwrap_err();
    assert!(matches!(error, Error::Missing(digest) if digest == missing.digest), "{error}");
}

pub(crate) fn a_recipe_needs_the_right_sizes(store: &dyn Store) {
    let blob = put(store, b"abc");
    let mut builder = RecipeBuilder::new();
    builder.content(Content { size_bytes: 4, ..blob });
    let error = store.batch().unwrap().put_recipe(&builder.finish()).unwrap_err();
    assert!(matches!(error, Error::SizeDiffers { found_bytes: 3, .. }), "{error}");
}

pub(crate) fn identity_does_not_depend_on_how_literals_were_cut(store: &dyn Store) {
    let recipe = |cut: usize| {
        let bytes = noise(7, 100);
        let mut builder = RecipeBuilder::new();
        builder.literal(&bytes[..cut]);
        builder.literal(&bytes[cut..]);
        builder.literal(b"");
        builder.zeros(cut as u64);
        builder.zeros(100 - cut as u64);
        builder.finish()
    };
    let contents: Vec<_> = [0, 1, 50, 100]
        .map(|cut| commit(store, |batch| batch.put_recipe(&recipe(cut)).unwrap()))
        .into();
    assert!(contents.iter().all(|content| *content == contents[0]));
    assert_eq!(recipe(3).extents(), [Extent::Literal(noise(7, 100)), Extent::Zeros(100)]);
}

pub(crate) fn many_extents_read_the_same_with_every_buffer(store: &dyn Store) {
    let mut expected = Vec::new();
    let content = commit(store, |batch| {
        let mut builder = RecipeBuilder::new();
        for seed in 0..400 {
            let bytes = noise(seed, (seed as usize * 7919) % 30_000 + 1);
            builder.content(batch.put_bytes(&bytes).unwrap());
            expected.extend_from_slice(&bytes);
            if seed % 3 == 0 {
                builder.zeros(seed * 5);
                expected.resize(expected.len() + seed as usize * 5, 0);
            }
        }
        batch.put_recipe(&builder.finish()).unwrap()
    });
    for buffer_bytes in [100, 4096, 70_000, 1 << 20, 4 << 20] {
        let mut reader = store.open(&content.digest).unwrap();
        let (mut bytes, mut buffer) = (Vec::new(), vec![0; buffer_bytes]);
        loop {
            match reader.read(&mut buffer).unwrap() {
                0 => break,
                read => bytes.extend_from_slice(&buffer[..read]),
            }
        }
        assert!(bytes == expected, "with a buffer of {buffer_bytes}");
    }
}

pub(crate) fn the_empty_recipe_is_a_content(store: &dyn Store) {
    let recipe = RecipeBuilder::new().finish();
    let content = commit(store, |batch| batch.put_recipe(&recipe).unwrap());
    assert_eq!(content.size_bytes, 0);
    assert_eq!(read(store, &content.digest), b"");
}

pub(crate) fn too_deep_a_recipe_is_refused_on_reading(store: &dyn Store) {
    let mut content = put(store, b"x");
    for _ in 0..64 {
        content = copies(store, content, 1);
    }
    assert_eq!(read(store, &content.digest).len(), 65);
    let deeper = copies(store, content, 1);
    assert!(matches!(store.open(&deeper.digest), Err(Error::TooDeep(_))));
}
