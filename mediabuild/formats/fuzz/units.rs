//! Blobs read in units: pieces of each come in order, and it ends once.

use mediabuild_formats::source::Source;
use mediabuild_formats::wim::{BlobEntry, Unit, Wim};

/// Reads all blobs that have at most `max_bytes` together, and asserts what units promise.
pub fn check_units<S: Source>(wim: &Wim, source: &S, max_bytes: u64) {
    let mut left = max_bytes;
    // The chunks of a solid resource count as a whole: they are decoded for any of its blobs.
    let is_small = |entry: &&BlobEntry| {
        let chunks = wim.solid.iter().map(|solid| wim.chunks(source, &solid.resource));
        let solid_bytes =
            chunks.flatten().fold(0, |sum: u64, it| sum.saturating_add(it.size_bytes()));
        let size = if entry.is_solid() { solid_bytes } else { entry.size_bytes() };
        let fits = size <= left;
        left = if fits { left - size } else { left };
        fits
    };
    let entries: Vec<&BlobEntry> =
        wim.blobs.iter().chain(&wim.images).take(64).filter(is_small).collect();
    let (mut ends, mut ended) = (vec![0; entries.len()], vec![0; entries.len()]);
    let (mut units, mut unit) = (wim.units(source, &entries), Unit::default());
    while units.next_into(&mut unit) {
        unit.decode(|piece| {
            assert_eq!((ends[piece.blob], ended[piece.blob]), (piece.offset_bytes, 0));
            ends[piece.blob] += piece.size_bytes;
            ended[piece.blob] += usize::from(piece.is_last);
        });
    }
    assert!(ended.iter().all(|&count| count == 1));
}
