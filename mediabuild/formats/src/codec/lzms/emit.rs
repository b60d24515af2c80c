//! `Emitter`: writes items, and keeps what both sides know of the items so far.

use super::adaptive_huffman::AdaptiveCode;
use super::bits::BackwardWriter;
use super::model::{
    DELTA_POWERS, Decisions, Delta, LITERAL_INTERVAL, OFFSET_INTERVAL, RecentItems, SHORT_INTERVAL,
};
use super::probability::Decision;
use super::range::RangeEncoder;
use super::slots::{LENGTH_SLOTS, LENGTHS, MAX_OFFSET_SLOTS, OFFSETS, offset_slots};
use crate::codec::code_lengths::set_codes;

/// An adaptive code and its code words.
pub(super) struct CodeWords<const SYMBOLS: usize> {
    pub(super) code: AdaptiveCode<SYMBOLS>,
    words: [u16; SYMBOLS],
    /// How often the code has changed.
    pub(super) generation: u32,
}

impl<const SYMBOLS: usize> CodeWords<SYMBOLS> {
    fn new(symbol_count: usize, interval: u32) -> Self {
        let code = AdaptiveCode::new(symbol_count, interval);
        let mut words = CodeWords { code, words: [0; SYMBOLS], generation: 0 };
        words.assign();
        words
    }

    fn assign(&mut self) {
        self.generation += 1;
        set_codes(self.code.lengths(), &mut self.words);
    }

    #[inline(always)]
    fn put(&mut self, bits: &mut BackwardWriter, symbol: usize, extra: u32, extra_bits: u8) {
        let (word, length) = (u64::from(self.words[symbol]), u32::from(self.code.lengths[symbol]));
        bits.put(word << extra_bits | u64::from(extra), length + u32::from(extra_bits));
        if self.code.count(symbol) {
            self.assign();
        }
    }
}

/// The codes of a chunk.
pub(super) struct Codes {
    pub(super) literal: CodeWords<256>,
    pub(super) length: CodeWords<LENGTH_SLOTS>,
    pub(super) lz_offset: CodeWords<MAX_OFFSET_SLOTS>,
    pub(super) delta_offset: CodeWords<MAX_OFFSET_SLOTS>,
    pub(super) delta_power: CodeWords<DELTA_POWERS>,
}

/// Where the bytes of a match come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Offset(u32),
    Repeat(usize),
    Delta(Delta),
    DeltaRepeat(usize),
}

/// Writes one chunk.
pub(super) struct Emitter {
    range: RangeEncoder,
    bits: BackwardWriter,
    pub(super) decisions: Decisions,
    pub(super) codes: Box<Codes>,
    pub(super) recent: RecentItems,
}

impl Emitter {
    pub(super) fn new() -> Emitter {
        Emitter {
            range: RangeEncoder::new(),
            bits: BackwardWriter::default(),
            decisions: Decisions::new(),
            codes: Box::new(Codes::new(0)),
            recent: RecentItems::new(),
        }
    }

    /// Forgets everything and begins a chunk.
    pub(super) fn start(&mut self, chunk_size_bytes: usize) {
        self.range.clear();
        self.bits.clear();
        self.decisions = Decisions::new();
        *self.codes = Codes::new(chunk_size_bytes);
        self.recent = RecentItems::new();
    }

    /// How many bytes the chunk takes so far.
    pub(super) fn size_bytes(&self) -> usize {
        self.range.size_bytes() + self.bits.size_bytes()
    }

    /// Appends the chunk to the output.
    pub(super) fn finish(&mut self, output: &mut Vec<u8>) {
        self.range.finish(output);
        self.bits.finish(output);
    }

    #[inline]
    pub(super) fn literal(&mut self, byte: u8) {
        self.range.encode(&mut self.decisions.main, 0);
        self.codes.literal.put(&mut self.bits, usize::from(byte), 0, 0);
        self.recent.literal();
    }

    pub(super) fn copy(&mut self, origin: Origin, length: u32) {
        let is_delta = matches!(origin, Origin::Delta(_) | Origin::DeltaRepeat(_));
        self.range.encode(&mut self.decisions.main, 1);
        self.range.encode(&mut self.decisions.kind, is_delta.into());
        match origin {
            Origin::Offset(offset) => self.lz_explicit(offset),
            Origin::Repeat(index) => {
                self.range.encode(&mut self.decisions.lz, 1);
                put_repeat(&mut self.range, &mut self.decisions.lz_repeat, index);
                self.recent.lz_repeat(index);
            }
            Origin::Delta(delta) => self.delta_explicit(delta),
            Origin::DeltaRepeat(index) => {
                self.range.encode(&mut self.decisions.delta, 1);
                put_repeat(&mut self.range, &mut self.decisions.delta_repeat, index);
                self.recent.delta_repeat(index);
            }
        }
        let slot = LENGTHS.slot_of(length);
        let extra = length - LENGTHS.base[slot];
        self.codes.length.put(&mut self.bits, slot, extra, LENGTHS.extra_bits[slot]);
    }

    fn lz_explicit(&mut self, offset: u32) {
        self.range.encode(&mut self.decisions.lz, 0);
        let slot = OFFSETS.slot_of(offset);
        let extra = offset - OFFSETS.base[slot];
        self.codes.lz_offset.put(&mut self.bits, slot, extra, OFFSETS.extra_bits[slot]);
        self.recent.lz_explicit(offset);
    }

    fn delta_explicit(&mut self, delta: Delta) {
        self.range.encode(&mut self.decisions.delta, 0);
        self.codes.delta_power.put(&mut self.bits, delta.power as usize, 0, 0);
        let slot = OFFSETS.slot_of(delta.raw_offset);
        let extra = delta.raw_offset - OFFSETS.base[slot];
        self.codes.delta_offset.put(&mut self.bits, slot, extra, OFFSETS.extra_bits[slot]);
        self.recent.delta_explicit(delta);
    }
}

impl Codes {
    fn new(chunk_size_bytes: usize) -> Codes {
        let offsets = offset_slots(chunk_size_bytes);
        Codes {
            literal: CodeWords::new(256, LITERAL_INTERVAL),
            length: CodeWords::new(LENGTH_SLOTS, SHORT_INTERVAL),
            lz_offset: CodeWords::new(offsets, OFFSET_INTERVAL),
            delta_offset: CodeWords::new(offsets, OFFSET_INTERVAL),
            delta_power: CodeWords::new(DELTA_POWERS, SHORT_INTERVAL),
        }
    }
}

/// A repeat index of 0 to 2, in unary.
fn put_repeat<const N: usize>(
    range: &mut RangeEncoder,
    decisions: &mut [Decision<N>; 2],
    index: usize,
) {
    let [first, second] = decisions;
    range.encode(first, u32::from(index > 0));
    if index > 0 {
        range.encode(second, u32::from(index > 1));
    }
}
