//! The LZX decoder.

use super::e8::undo_e8;
use super::format::{
    ALIGNED_BLOCK, DEFAULT_BLOCK_BYTES, LENGTH_SYMBOLS, MAX_MAIN_SYMBOLS, MAX_SLOTS, MIN_MATCH,
    PRECODE_SYMBOLS, SLOTS, UNCOMPRESSED_BLOCK, VERBATIM_BLOCK, slot_count,
};
use crate::codec::Error;
use crate::codec::bits::Bits;
use crate::codec::copy::copy_match;
use crate::codec::huffman::Table;

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
            VERBATIM_BLOCK => {
                self.read_codes(position)?;
                self.compressed::<false>(&mut output[..end], position)?;
            }
            ALIGNED_BLOCK => {
                self.read_aligned_code(position)?;
                self.read_codes(position)?;
                self.compressed::<true>(&mut output[..end], position)?;
            }
            UNCOMPRESSED_BLOCK => self.uncompressed(&mut output[position..end], position)?,
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

#[cfg(test)]
mod tests {
    use super::decode;

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
}
