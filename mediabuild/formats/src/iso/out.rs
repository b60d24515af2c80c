//! `Out`: a sink seen as sectors; `Measure`: a sink that only counts.

use std::marker::PhantomData;

use super::SECTOR_SIZE_BYTES;
use crate::layout::Sink;

/// Appends to a sink; positions and sectors count from where the sink stood at the start.
pub(super) struct Out<'s, C, S> {
    sink: &'s mut S,
    start_bytes: u64,
    contents: PhantomData<C>,
}

impl<'s, C, S: Sink<C>> Out<'s, C, S> {
    pub(super) fn new(sink: &'s mut S) -> Self {
        let start_bytes = sink.position_bytes();
        Out { sink, start_bytes, contents: PhantomData }
    }

    pub(super) fn position_bytes(&self) -> u64 {
        self.sink.position_bytes() - self.start_bytes
    }

    /// The sector the next byte falls into. Past 32 bits it stays at the last one: the writer
    /// refuses such a disc after it was measured.
    pub(super) fn sector(&self) -> u32 {
        u32::try_from(self.position_bytes() / SECTOR_SIZE_BYTES).unwrap_or(u32::MAX)
    }

    pub(super) fn literal(&mut self, bytes: &[u8]) {
        self.sink.literal(bytes);
    }

    /// Appends `bytes` and zeros up to the next sector: a descriptor's tail is never a literal.
    pub(super) fn block(&mut self, bytes: &[u8]) {
        self.sink.literal(bytes);
        self.zeros_to_sector();
    }

    pub(super) fn content(&mut self, content: &C, size_bytes: u64) {
        self.sink.content(content, size_bytes);
    }

    pub(super) fn zeros_to_sector(&mut self) {
        self.zeros_to_multiple(SECTOR_SIZE_BYTES);
    }

    pub(super) fn zeros_to_multiple(&mut self, multiple_bytes: u64) {
        let position = self.position_bytes();
        let count_bytes = position.next_multiple_of(multiple_bytes) - position;
        if count_bytes > 0 {
            self.sink.zeros(count_bytes);
        }
    }

    /// Zeros up to the start of `sector`, which lies ahead.
    pub(super) fn zeros_to(&mut self, sector: u32) {
        let target = u64::from(sector) * SECTOR_SIZE_BYTES;
        let position = self.position_bytes();
        assert!(position <= target, "sector {sector} is taken");
        self.sink.zeros(target - position);
    }
}

/// Counts bytes and keeps none.
#[derive(Default)]
pub(super) struct Measure {
    position_bytes: u64,
}

impl<C> Sink<C> for Measure {
    fn literal(&mut self, bytes: &[u8]) {
        self.position_bytes += bytes.len() as u64;
    }

    fn zeros(&mut self, count_bytes: u64) {
        self.position_bytes += count_bytes;
    }

    fn content(&mut self, _content: &C, size_bytes: u64) {
        self.position_bytes += size_bytes;
    }

    fn position_bytes(&self) -> u64 {
        self.position_bytes
    }
}
