//! The decoder: items of literals, matches and delta matches, then the x86 filter.

use super::super::Error;
use super::super::copy::copy_match;
use super::bits::BackwardBits;
use super::model::{
    DELTA_POWERS, Decisions, Delta, LITERAL_INTERVAL, OFFSET_INTERVAL, RecentItems, SHORT_INTERVAL,
};
use super::probability::Decision;
use super::range::RangeDecoder;
use super::slots::{LENGTH_SLOTS, LENGTHS, MAX_OFFSET_SLOTS, OFFSETS, offset_slots};
use super::table::AdaptiveTable;
use super::x86;

/// The largest chunk that readers of the format take.
const MAX_CHUNK_BYTES: usize = 1 << 30;

fn error(output_offset: usize, expected: &'static str) -> Error {
    Error { codec: "LZMS", output_offset, expected }
}

/// Decodes one chunk, at most 1 GiB.
pub fn decode(input: &[u8], output: &mut [u8]) -> Result<(), Error> {
    if input.len() < 4 || !input.len().is_multiple_of(2) {
        return Err(error(0, "an even number of bytes, at least 4"));
    }
    if output.len() > MAX_CHUNK_BYTES {
        return Err(error(0, "a chunk of at most 1 GiB"));
    }
    Decoder::new(input, output.len()).items(output)?;
    x86::undo(output);
    Ok(())
}

struct Decoder<'a> {
    range: RangeDecoder<'a>,
    bits: BackwardBits<'a>,
    decisions: Decisions,
    codes: Box<Codes>,
    recent: RecentItems,
}

/// Literals have few long codes and are the most frequent symbols, offsets have many.
struct Codes {
    literal: AdaptiveTable<10, 1024, 256>,
    length: AdaptiveTable<9, 512, LENGTH_SLOTS>,
    lz_offset: AdaptiveTable<11, 2048, MAX_OFFSET_SLOTS>,
    delta_offset: AdaptiveTable<11, 2048, MAX_OFFSET_SLOTS>,
    delta_power: AdaptiveTable<7, 128, DELTA_POWERS>,
}

impl Codes {
    fn new(chunk_size_bytes: usize) -> Codes {
        let offsets = offset_slots(chunk_size_bytes);
        Codes {
            literal: AdaptiveTable::new(256, LITERAL_INTERVAL),
            length: AdaptiveTable::new(LENGTH_SLOTS, SHORT_INTERVAL),
            lz_offset: AdaptiveTable::new(offsets, OFFSET_INTERVAL),
            delta_offset: AdaptiveTable::new(offsets, OFFSET_INTERVAL),
            delta_power: AdaptiveTable::new(DELTA_POWERS, SHORT_INTERVAL),
        }
    }
}

impl<'a> Decoder<'a> {
    fn new(input: &'a [u8], size_bytes: usize) -> Decoder<'a> {
        Decoder {
            range: RangeDecoder::new(input),
            bits: BackwardBits::new(input),
            decisions: Decisions::new(),
            codes: Box::new(Codes::new(size_bytes)),
            recent: RecentItems::new(),
        }
    }

    fn items(&mut self, output: &mut [u8]) -> Result<(), Error> {
        let mut position = 0;
        while position < output.len() {
            if self.range.decode(&mut self.decisions.main) == 0 {
                self.bits.refill();
                output[position] = self.codes.literal.decode(&mut self.bits) as u8;
                position += 1;
                self.recent.literal();
            } else if self.range.decode(&mut self.decisions.kind) == 0 {
                position += self.lz_match(output, position)?;
            } else {
                position += self.delta_match(output, position)?;
            }
        }
        if self.range.is_overrun() || self.bits.is_overrun() {
            return Err(error(position, "more input"));
        }
        Ok(())
    }

    #[inline]
    fn lz_match(&mut self, output: &mut [u8], position: usize) -> Result<usize, Error> {
        let offset = if self.range.decode(&mut self.decisions.lz) == 0 {
            self.bits.refill();
            let slot = self.codes.lz_offset.decode(&mut self.bits);
            let offset = OFFSETS.base[slot] + self.bits.take(OFFSETS.extra_bits[slot].into());
            self.recent.lz_explicit(offset)
        } else {
            let index = repeat_index(&mut self.range, &mut self.decisions.lz_repeat);
            self.recent.lz_repeat(index)
        } as usize;
        let length = self.length();
        if offset > position || length > output.len() - position {
            return Err(error(position, "a match inside the chunk"));
        }
        copy_match(output, position, offset, length);
        Ok(length)
    }

    #[inline]
    fn delta_match(&mut self, output: &mut [u8], position: usize) -> Result<usize, Error> {
        let delta = if self.range.decode(&mut self.decisions.delta) == 0 {
            self.bits.refill();
            let power = self.codes.delta_power.decode(&mut self.bits) as u32;
            self.bits.refill();
            let slot = self.codes.delta_offset.decode(&mut self.bits);
            let extra = self.bits.take(OFFSETS.extra_bits[slot].into());
            self.recent.delta_explicit(Delta { power, raw_offset: OFFSETS.base[slot] + extra })
        } else {
            let index = repeat_index(&mut self.range, &mut self.decisions.delta_repeat);
            self.recent.delta_repeat(index)
        };
        let length = self.length();
        let (span, offset) = (delta.span(), delta.offset());
        let reach = span as u64 + offset;
        if reach > position as u64 || length > output.len() - position {
            return Err(error(position, "a delta match inside the chunk"));
        }
        let offset = offset as usize;
        for to in position..position + length {
            let step = output[to - span].wrapping_sub(output[to - offset - span]);
            output[to] = output[to - offset].wrapping_add(step);
        }
        Ok(length)
    }

    #[inline(always)]
    fn length(&mut self) -> usize {
        self.bits.refill();
        let slot = self.codes.length.decode(&mut self.bits);
        (LENGTHS.base[slot] + self.bits.take(LENGTHS.extra_bits[slot].into())) as usize
    }
}

/// A repeat index of 0 to 2, in unary.
#[inline(always)]
fn repeat_index<const N: usize>(
    range: &mut RangeDecoder<'_>,
    decisions: &mut [Decision<N>; 2],
) -> usize {
    let [first, second] = decisions;
    if range.decode(first) == 0 { 0 } else { 1 + range.decode(second) as usize }
}
