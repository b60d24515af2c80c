//! LZX as WIM files use it, decoder.
//!
//! Unlike cabinet files, each chunk starts afresh: recent offsets 1, previous code lengths 0. Block
//! sizes have a one-bit short form for 32768, and the x86 filter is always on. Sources: [MS-PATCH]
//! 2.x for the block structure; behaviour observed of WIM files for the differences.

use super::Error;
use super::bits::Bits;
use super::copy::copy_match;
use super::huffman::Table;

/// Symbols of the length code.
const LENGTH_SYMBOLS: usize = 249;
/// Symbols of the precode, which codes the lengths of the other codes.
const PRECODE_SYMBOLS: usize = 20;
/// Offset slots of the largest window, 2 MiB.
const MAX_SLOTS: usize = 50;
const MAX_MAIN_SYMBOLS: usize = 256 + 8 * MAX_SLOTS;
const MIN_MATCH: usize = 2;
const DEFAULT_BLOCK_BYTES: usize = 32768;
/// The file size that the x86 filter of WIM files assumes.
const E8_FILE_BYTES: i32 = 12_000_000;
/// The filter leaves this many bytes at the end of a chunk alone.
const E8_TAIL_BYTES: usize = 10;

/// By slot: how many low bits of the offset follow the main symbol, and the offset without them.
/// Slots 0 to 2 stand for the recent offsets.
const SLOTS: ([u8; MAX_SLOTS], [u32; MAX_SLOTS]) = slots();

const fn slots() -> ([u8; MAX_SLOTS], [u32; MAX_SLOTS]) {
    let (mut extra, mut base) = ([0; MAX_SLOTS], [0; MAX_SLOTS]);
    let (mut slot, mut next) = (3, 1_u32);
    while slot < MAX_SLOTS {
        let half = slot as u8 / 2;
        extra[slot] = if half - 1 > 17 { 17 } else { half - 1 };
        base[slot] = next;
        next += 1 << extra[slot];
        slot += 1;
    }
    (extra, base)
}

/// Decodes one chunk. `window_bytes` is the chunk size of the file, a power of two from 32 KiB to
/// 2 MiB; the last chunk of a resource may be shorter.
pub fn decode(input: &[u8], output: &mut [u8], window_bytes: u32) -> Result<(), Error> {
    let mut decoder = Decoder::new(input, window_bytes)?;
    let mut position = 0;
    while position < output.len() {
        position = decoder.block(output, position)?;
    }
    undo_e8(output);
    Ok(())
}

struct Decoder<'a> {
    bits: Bits<'a>,
    input: &'a [u8],
    window_bytes: u32,
    main_symbols: usize,
    recent: [u32; 3],
    main_lengths: [u8; MAX_MAIN_SYMBOLS],
    length_lengths: [u8; LENGTH_SYMBOLS],
    codes: Codes,
}

/// The codes of a compressed block.
struct Codes {
    main: Table<11, 2048, MAX_MAIN_SYMBOLS>,
    length: Table<10, 1024, LENGTH_SYMBOLS>,
    aligned: Table<7, 128, 8>,
}

fn error(output_offset: usize, expected: &'static str) -> Error {
    Error { codec: "LZX", output_offset, expected }
}

/// How many offset slots a window has.
fn slot_count(window_bytes: u32) -> Option<usize> {
    let counts = [30, 32, 34, 36, 38, 42, MAX_SLOTS];
    let order = window_bytes.is_power_of_two().then(|| window_bytes.trailing_zeros())?;
    counts.get(order.checked_sub(15)? as usize).copied()
}

impl<'a> Decoder<'a> {
    fn new(input: &'a [u8], window_bytes: u32) -> Result<Decoder<'a>, Error> {
        let slots = slot_count(window_bytes)
            .ok_or_else(|| error(0, "a window of 32 KiB to 2 MiB, a power of two"))?;
        Ok(Decoder {
            bits: Bits::new(input, 0),
            input,
            window_bytes,
            main_symbols: 256 + 8 * slots,
            recent: [1; 3],
            main_lengths: [0; MAX_MAIN_SYMBOLS],
            length_lengths: [0; LENGTH_SYMBOLS],
            codes: Codes { main: Table::new(), length: Table::new(), aligned: Table::new() },
        })
    }

    /// Decodes one block at `position`; returns where it ends.
    fn block(&mut self, output: &mut [u8], position: usize) -> Result<usize, Error> {
        let kind = self.bits.read(3);
        let size = self.block_bytes();
        if size == 0 || size > output.len() - position {
            return Err(error(position, "a block no longer than the rest of the chunk"));
        }
        let end = position + size;
        match kind {
            1 => {
                self.read_codes(position)?;
                self.compressed::<false>(&mut output[..end], position)?;
            }
            2 => {
                self.read_aligned_code(position)?;
                self.read_codes(position)?;
                self.compressed::<true>(&mut output[..end], position)?;
            }
            3 => self.uncompressed(&mut output[position..end], position)?,
            _ => return Err(error(position, "a block type of 1 to 3")),
        }
        Ok(end)
    }

    fn block_bytes(&mut self) -> usize {
        let size_bits = if self.window_bytes > 1 << 15 { 24 } else { 16 };
        match self.bits.read(1) {
            1 => DEFAULT_BLOCK_BYTES,
            _ => self.bits.read(size_bits) as usize,
        }
    }

    fn read_aligned_code(&mut self, position: usize) -> Result<(), Error> {
        let lengths: [u8; 8] = std::array::from_fn(|_| self.bits.read(3) as u8);
        match self.codes.aligned.build(&lengths) {
            true => Ok(()),
            false => Err(error(position, "an aligned offset code that fits its lengths")),
        }
    }

    /// The main code, in two runs, and the length code.
    fn read_codes(&mut self, position: usize) -> Result<(), Error> {
        let (literals, matches) = self.main_lengths[..self.main_symbols].split_at_mut(256);
        read_lengths(&mut self.bits, literals, position)?;
        read_lengths(&mut self.bits, matches, position)?;
        read_lengths(&mut self.bits, &mut self.length_lengths, position)?;
        let fits = self.codes.main.build(&self.main_lengths[..self.main_symbols])
            && self.codes.length.build(&self.length_lengths);
        if fits { Ok(()) } else { Err(error(position, "codes that fit their lengths")) }
    }

    /// Recent offsets and plain bytes at the next word, padded to an even size.
    fn uncompressed(&mut self, output: &mut [u8], position: usize) -> Result<(), Error> {
        let start = self.bits.skip_to_word();
        let bytes = self.input.get(start..).and_then(|rest| rest.split_first_chunk::<12>());
        let Some((recent, rest)) = bytes else {
            return Err(error(position, "three recent offsets"));
        };
        for (offset, bytes) in self.recent.iter_mut().zip(recent.chunks_exact(4)) {
            *offset = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        if self.recent.contains(&0) {
            return Err(error(position, "recent offsets other than 0"));
        }
        let plain = rest.get(..output.len());
        output.copy_from_slice(plain.ok_or_else(|| error(position, "an uncompressed block"))?);
        self.bits.restart(start + 12 + output.len().next_multiple_of(2));
        Ok(())
    }

    /// Decodes symbols until `output`, which ends with the block, is full.
    fn compressed<const ALIGNED: bool>(
        &mut self,
        output: &mut [u8],
        mut position: usize,
    ) -> Result<(), Error> {
        // Copies that the loop can keep in registers.
        let (mut bits, mut recent) = (self.bits, self.recent);
        while position < output.len() {
            bits.refill();
            let mut symbol = self.codes.main.decode(&mut bits);
            if symbol < 256 {
                output[position] = symbol as u8;
                position += 1;
                if position == output.len() {
                    break;
                }
                // A refill lasts for two literals, and often for more.
                symbol = self.codes.main.decode(&mut bits);
                if symbol < 256 {
                    output[position] = symbol as u8;
                    position += 1;
                    continue;
                }
                bits.refill();
            }
            let found = self.codes.match_of::<ALIGNED>(symbol, &mut bits, &mut recent);
            let (offset, length) = found.map_err(|expected| error(position, expected))?;
            if offset > position || length > output.len() - position {
                return Err(error(position, "a match inside the chunk and the block"));
            }
            copy_match(output, position, offset, length);
            position += length;
        }
        (self.bits, self.recent) = (bits, recent);
        Ok(())
    }
}

impl Codes {
    /// Offset and length of the match that `symbol` begins, or what was expected; at least 32
    /// bits are loaded.
    #[inline(always)]
    fn match_of<const ALIGNED: bool>(
        &self,
        symbol: u16,
        bits: &mut Bits<'_>,
        recent: &mut [u32; 3],
    ) -> Result<(usize, usize), &'static str> {
        let header = usize::from(symbol) - 256;
        let slot = header >> 3;
        if slot >= MAX_SLOTS {
            return Err("a main symbol");
        }
        let mut length = (header & 7) + MIN_MATCH;
        if header & 7 == 7 {
            let symbol = usize::from(self.length.decode(bits));
            if symbol >= LENGTH_SYMBOLS {
                return Err("a length symbol");
            }
            length += symbol;
        }
        let [first, second, third] = *recent;
        let (offset, others) = match slot {
            0 => (first, [second, third]),
            1 => (second, [first, third]),
            2 => (third, [second, first]),
            _ => (self.explicit_offset::<ALIGNED>(slot, bits)?, [first, second]),
        };
        *recent = [offset, others[0], others[1]];
        Ok((offset as usize, length))
    }

    #[inline(always)]
    fn explicit_offset<const ALIGNED: bool>(
        &self,
        slot: usize,
        bits: &mut Bits<'_>,
    ) -> Result<u32, &'static str> {
        let (extra, base) = (u32::from(SLOTS.0[slot]), SLOTS.1[slot]);
        // A main and a length symbol may have taken all that a refill guarantees but 16 bits.
        if bits.available() < 17 {
            bits.refill();
        }
        if !ALIGNED || extra < 3 {
            return Ok(base + bits.take(extra));
        }
        let high = bits.take(extra - 3) << 3;
        bits.refill();
        let low = u32::from(self.aligned.decode(bits));
        if low >= 8 {
            return Err("an aligned offset symbol");
        }
        Ok(base + high + low)
    }
}

/// Reads code lengths as differences to the previous block's.
fn read_lengths(bits: &mut Bits<'_>, lengths: &mut [u8], position: usize) -> Result<(), Error> {
    let precode: [u8; PRECODE_SYMBOLS] = std::array::from_fn(|_| bits.read(4) as u8);
    let mut table = Table::<6, 64, PRECODE_SYMBOLS>::new();
    if !table.build(&precode) {
        return Err(error(position, "a precode that fits its lengths"));
    }
    let mut index = 0;
    while index < lengths.len() {
        bits.refill();
        let (run, symbol) = match table.decode(bits) {
            17 => (4 + bits.take(4), None),
            18 => (20 + bits.take(5), None),
            19 => (4 + bits.take(1), Some(table.decode(bits))),
            symbol => (1, Some(symbol)),
        };
        let length = match symbol {
            None => 0,
            Some(symbol @ 0..=16) => (u16::from(lengths[index]) + 17 - symbol) % 17,
            Some(_) => return Err(error(position, "a precode symbol")),
        };
        let end = index + run as usize;
        let Some(run) = lengths.get_mut(index..end) else {
            return Err(error(position, "a run of code lengths inside its code"));
        };
        run.fill(length as u8);
        index = end;
    }
    Ok(())
}

/// Undoes the x86 filter: operands of `call` were made absolute, so that calls of one function
/// look alike.
fn undo_e8(output: &mut [u8]) {
    let Some(limit) = output.len().checked_sub(E8_TAIL_BYTES) else { return };
    let mut index = 0;
    while let Some(found) = output.get(index..limit).and_then(find_e8) {
        index += found;
        let position = index as i32;
        if let Some(operand) = output[index + 1..].first_chunk_mut::<4>() {
            let absolute = i32::from_le_bytes(*operand);
            if (0..E8_FILE_BYTES).contains(&absolute) {
                *operand = (absolute - position).to_le_bytes();
            } else if (-position..0).contains(&absolute) {
                *operand = (absolute + E8_FILE_BYTES).to_le_bytes();
            }
        }
        index += 5;
    }
}

/// The first byte 0xe8. Blocks without one are skipped as a whole, which vector units do fast:
/// a byte-wise search took an eighth of the time of decoding.
fn find_e8(bytes: &[u8]) -> Option<usize> {
    let has_e8 = |block: &[u8; 32]| block.iter().fold(false, |found, &byte| found | (byte == 0xe8));
    let (blocks, _) = bytes.as_chunks::<32>();
    let skipped = blocks.iter().take_while(|block| !has_e8(block)).count() * 32;
    let found = bytes[skipped..].iter().position(|&byte| byte == 0xe8)?;
    Some(skipped + found)
}

#[cfg(test)]
mod tests {
    use super::{SLOTS, decode, slot_count, undo_e8};

    #[test]
    fn offset_slots_cover_every_window() {
        assert_eq!(SLOTS.0[..10], [0, 0, 0, 0, 1, 1, 2, 2, 3, 3]);
        assert_eq!(SLOTS.1[3..13], [1, 2, 4, 6, 10, 14, 22, 30, 46, 62]);
        for window in (15..=21).map(|order| 1_u32 << order) {
            let last = slot_count(window).expect("a legal window") - 1;
            assert_eq!(SLOTS.1[last] + (1 << SLOTS.0[last]) - 1, window - 3, "{window}");
        }
    }

    #[test]
    fn an_uncompressed_block_is_copied() {
        // 3 bits type 3, 1 bit 0, 16 bits size 5: 0110 0000 0000 0000 0101 …
        let mut input = vec![0x00, 0x60, 0x00, 0x50];
        input.extend([1_u32, 1, 1].into_iter().flat_map(u32::to_le_bytes));
        input.extend(b"abcde");
        let mut output = [0; 5];
        decode(&input, &mut output, 1 << 15).expect("valid");
        assert_eq!(&output, b"abcde");
    }

    #[test]
    fn the_filter_moves_targets_back() {
        let mut chunk = vec![0; 32];
        chunk[4..9].copy_from_slice(&[0xe8, 0x10, 0, 0, 0]);
        chunk[24..29].copy_from_slice(&[0xe8, 0x10, 0, 0, 0]);
        undo_e8(&mut chunk);
        assert_eq!(chunk[4..9], [0xe8, 0x0c, 0, 0, 0]);
        assert_eq!(chunk[24..29], [0xe8, 0x10, 0, 0, 0], "the last ten bytes stay");
        let mut short = [0xe8; 10];
        undo_e8(&mut short);
        assert_eq!(short, [0xe8; 10]);
    }
}
