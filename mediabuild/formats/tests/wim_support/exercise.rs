//! What is done to bytes that nobody can vouch for: damage, and everything a reader does.

use mediabuild_formats::wim::{
    BlobEntry, Detail, Joined, Sha1, Wim, decode_metadata, dump, encode_metadata,
};
use proptest::prelude::*;

use super::read_by_units;

/// Everything a caller may do with untrusted bytes.
pub(crate) fn exercise(bytes: &Vec<u8>) {
    let Ok(wim) = Wim::open(bytes) else { return };
    let _ = dump(&wim, bytes, Detail::Chunks);
    let _ = wim.integrity(bytes);
    for entry in wim.blobs.iter().chain(&wim.images).chain(&wim.solid) {
        let _ = wim.check(bytes, entry);
    }
    let _ = wim.check_layout();
    let _ = wim.distinct_solid_blobs();
    let entries: Vec<&BlobEntry> = wim.blobs.iter().chain(&wim.images).collect();
    let by_units = read_by_units(&wim, bytes, &entries);
    for (entry, content) in entries.iter().zip(by_units) {
        let checked = wim.check(bytes, entry);
        assert_eq!(content.is_ok_and(|bytes| Sha1::of(&bytes) == entry.sha1), checked.is_ok());
    }
    let joined = Joined::new(vec![bytes.as_slice(), bytes.as_slice()]);
    if let Ok(joined_wim) = Wim::open_joined(&joined, 1) {
        assert_eq!(joined_wim.images, wim.images);
        let _ = joined_wim.check_layout();
        let entries: Vec<&BlobEntry> = joined_wim.blobs.iter().collect();
        let _ = read_by_units(&joined_wim, &joined, &entries);
    }
    for index in 1..=wim.images.len() {
        if let Ok(image) = wim.image(bytes, index) {
            let encoded = encode_metadata(&image);
            if let Ok(encoded) = encoded {
                decode_metadata(&encoded).expect("what we wrote");
            }
        }
    }
}

/// Changes a few bytes, preferring values at the edges, and perhaps cuts the end off.
pub(crate) fn damage(
    bytes: &mut Vec<u8>,
    changes: &[(prop::sample::Index, u8)],
    cut: Option<usize>,
) {
    for (index, value) in changes {
        let position = index.index(bytes.len());
        bytes[position] = match value % 4 {
            0 => 0,
            1 => 0xff,
            2 => bytes[position].wrapping_add(1),
            _ => *value,
        };
    }
    if let Some(cut) = cut {
        bytes.truncate(cut % (bytes.len() + 1));
    }
}

pub(crate) fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    prop::collection::vec(any::<(prop::sample::Index, u8)>(), 0..8)
}
