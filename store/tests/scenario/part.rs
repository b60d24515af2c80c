//! Parts: ranges of a container that are contents of their own.

use std::io::Read;

use mediabuild_store::{Digest, Error, Part, RecipeBuilder, Store};

use super::{commit, noise, put, read};

fn part(container: &[u8], offset_bytes: usize, size_bytes: usize) -> Part {
    let digest = Digest::of(&container[offset_bytes..][..size_bytes]);
    Part { digest, offset_bytes: offset_bytes as u64, size_bytes: size_bytes as u64 }
}

pub(crate) fn a_part_is_a_content_of_its_own(store: &dyn Store) {
    for size_bytes in [5000, 2 << 20] {
        let bytes = noise(1, size_bytes);
        let part = part(&bytes, 1000, 3000);
        // The container and its parts in one batch, and a recipe of the part too.
        let recipe = commit(store, |batch| {
            let container = batch.put_bytes(&bytes).unwrap();
            batch.put_parts(&container.digest, &[part]).unwrap();
            let mut builder = RecipeBuilder::new();
            builder.content(part.content());
            batch.put_recipe(&builder.finish()).unwrap()
        });
        assert_eq!(store.find(&part.digest).unwrap(), Some(part.content()));
        assert_eq!(read(store, &part.digest), &bytes[1000..4000]);
        assert_eq!(read(store, &recipe.digest), &bytes[1000..4000]);
    }
}

pub(crate) fn parts_come_by_offset_however_they_were_put(store: &dyn Store) {
    let bytes = noise(2, 9000);
    let container = put(store, &bytes);
    let parts = [part(&bytes, 0, 10), part(&bytes, 10, 500), part(&bytes, 4000, 5000)];
    for some in [&[parts[2], parts[0]][..], &[parts[1]], &[parts[0]], &[]] {
        commit(store, |batch| batch.put_parts(&container.digest, some).unwrap());
    }
    assert_eq!(store.parts(&container.digest).unwrap(), parts);
}

pub(crate) fn a_part_may_lie_in_a_part(store: &dyn Store) {
    let iso = noise(3, 3 << 20);
    let wim = part(&iso, 2048, 1 << 20);
    let resource = part(&iso[2048..], 208, 4000);
    let container = put(store, &iso);
    commit(store, |batch| batch.put_parts(&container.digest, &[wim]).unwrap());
    commit(store, |batch| batch.put_parts(&wim.digest, &[resource]).unwrap());
    assert_eq!(store.parts(&wim.digest).unwrap(), [resource]);
    assert_eq!(read(store, &resource.digest), &iso[2048 + 208..][..4000]);
}

pub(crate) fn a_part_outside_its_container_is_refused(store: &dyn Store) {
    let container = put(store, b"abc");
    let mut batch = store.batch().unwrap();
    for (offset_bytes, size_bytes) in [(0, 4), (3, 1), (u64::MAX, 1), (1, u64::MAX)] {
        let part = Part { digest: Digest::of(b"?"), offset_bytes, size_bytes };
        let error = batch.put_parts(&container.digest, &[part]).unwrap_err();
        assert!(matches!(error, Error::PartOutside { .. }), "{error}");
    }
}

pub(crate) fn parts_of_nothing_are_refused(store: &dyn Store) {
    let error = store.batch().unwrap().put_parts(&Digest::of(b"?"), &[]).unwrap_err();
    assert!(matches!(error, Error::Missing(_)), "{error}");
}

pub(crate) fn a_part_with_a_wrong_digest_is_caught_on_reading(store: &dyn Store) {
    let container = put(store, b"abcdef");
    let wrong = Part { digest: Digest::of(b"xyz"), offset_bytes: 0, size_bytes: 3 };
    commit(store, |batch| batch.put_parts(&container.digest, &[wrong]).unwrap());
    let mut reader = store.open(&wrong.digest).unwrap();
    let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    assert!(
        matches!(Error::from_read(error), Error::Corrupt { digest, .. } if digest == wrong.digest)
    );
    assert!(reader.read(&mut [0; 9]).is_err(), "a reader that failed stays failed");
}
