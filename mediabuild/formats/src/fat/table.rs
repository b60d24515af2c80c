//! The FAT as bytes, from runs: entries are made while they are appended, so memory is one piece.

use super::geometry::Variant;
use super::plan::Run;

/// Entries that are encoded at once: an even number, so that no two entries of 12 bits are cut.
const PIECE_ENTRIES: usize = 16 << 10;

/// Where the bytes of a table go.
pub(super) trait TableSink {
    fn literal(&mut self, bytes: &[u8]);
    fn zeros(&mut self, count_bytes: u64);
}

/// Appends one FAT of `fat_bytes`. `runs` do not overlap and come in order; what they leave out is
/// free.
pub(super) fn emit(
    variant: Variant,
    media: u8,
    fat_bytes: u64,
    runs: impl Iterator<Item = Run>,
    sink: &mut dyn TableSink,
) {
    let end = variant.end_of_chain();
    let first = end & !0xFF | u32::from(media);
    let chained = runs.flat_map(|run| {
        let count = run.count;
        (0..count).map(move |at| {
            let cluster = run.first + at as u32;
            (cluster, if at + 1 == count { end } else { cluster + 1 })
        })
    });
    let (mut piece, mut next) = (Piece::new(variant), 0);
    for (cluster, entry) in [(0, first), (1, end)].into_iter().chain(chained) {
        while next < cluster {
            piece.push(0, sink);
            next += 1;
        }
        piece.push(entry, sink);
        next += 1;
    }
    let written = piece.finish(sink);
    sink.zeros(fat_bytes - written);
}

struct Piece {
    variant: Variant,
    entries: Vec<u32>,
    bytes: Vec<u8>,
    written_bytes: u64,
}

impl Piece {
    fn new(variant: Variant) -> Piece {
        let entries = Vec::with_capacity(PIECE_ENTRIES);
        Piece { variant, entries, bytes: Vec::new(), written_bytes: 0 }
    }

    fn push(&mut self, entry: u32, sink: &mut dyn TableSink) {
        self.entries.push(entry);
        if self.entries.len() == PIECE_ENTRIES {
            self.flush(sink);
        }
    }

    fn flush(&mut self, sink: &mut dyn TableSink) {
        self.bytes.clear();
        match self.variant {
            Variant::Fat12 => {
                for pair in self.entries.chunks(2) {
                    let both = pair[0] | pair.get(1).copied().unwrap_or(0) << 12;
                    let size = if pair.len() == 2 { 3 } else { 2 };
                    self.bytes.extend_from_slice(&both.to_le_bytes()[..size]);
                }
            }
            Variant::Fat16 => {
                self.bytes
                    .extend(self.entries.iter().flat_map(|entry| (*entry as u16).to_le_bytes()));
            }
            Variant::Fat32 => {
                self.bytes.extend(self.entries.iter().flat_map(|entry| entry.to_le_bytes()));
            }
        }
        self.entries.clear();
        self.written_bytes += self.bytes.len() as u64;
        sink.literal(&self.bytes);
    }

    fn finish(mut self, sink: &mut dyn TableSink) -> u64 {
        self.flush(sink);
        self.written_bytes
    }
}
