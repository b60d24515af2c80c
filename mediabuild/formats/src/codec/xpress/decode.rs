//! The XPRESS decoder.

use super::format::{MIN_MATCH, SYMBOLS, TABLE_BYTES};
use crate::codec::Error;
use crate::codec::bits::Bits;
use crate::codec::copy::copy_match;
use crate::codec::huffman::{NO_SYMBOL, Table};

fn error(output_offset: usize, expected: &'static str) -> Error {
    Error { codec: "XPRESS", output_offset, expected }
}

/// Decodes one chunk of at most 64 KiB.
pub fn decode(input: &[u8], output: &mut [u8]) -> Result<(), Error> {
    let Some((lengths, _)) = input.split_first_chunk::<TABLE_BYTES>() else {
        return Err(error(0, "256 bytes of code lengths"));
    };
    let lengths: [u8; SYMBOLS] =
        std::array::from_fn(|symbol| lengths[symbol / 2] >> (4 * (symbol % 2)) & 15);
    let mut table = Table::new();
    if !table.build(&lengths) {
        return Err(error(0, "a code that fits its lengths"));
    }
    decode_symbols(&table, Bits::new(input, TABLE_BYTES), output)
}

fn decode_symbols(
    table: &Table<11, 2048, SYMBOLS>,
    mut bits: Bits<'_>,
    output: &mut [u8],
) -> Result<(), Error> {
    let mut position = 0;
    while position < output.len() {
        bits.refill();
        let mut symbol = table.decode(&mut bits);
        if symbol < 256 {
            output[position] = symbol as u8;
            position += 1;
            if position == output.len() {
                return Ok(());
            }
            // A refill lasts for two literals, and for the symbol of a match.
            symbol = table.decode(&mut bits);
            if symbol < 256 {
                output[position] = symbol as u8;
                position += 1;
                continue;
            }
            bits.refill();
        }
        if symbol == NO_SYMBOL {
            return Err(error(position, "a symbol"));
        }
        let length = match usize::from(symbol & 15) {
            15 => long_length(&mut bits, position)?,
            length => length,
        } + MIN_MATCH;
        let magnitude = u32::from(symbol >> 4) & 15;
        let offset = 1_usize << magnitude | bits.take(magnitude) as usize;
        if offset > position || length > output.len() - position {
            return Err(error(position, "a match inside the chunk"));
        }
        copy_match(output, position, offset, length);
        position += length;
    }
    Ok(())
}

/// A length of 15 or more, from one byte or three between the words of the stream.
#[cold]
fn long_length(bits: &mut Bits<'_>, position: usize) -> Result<usize, Error> {
    let missing = || error(position, "the length of a match");
    let [byte] = bits.interleaved().ok_or_else(missing)?;
    let length = match byte {
        255 => usize::from(u16::from_le_bytes(bits.interleaved().ok_or_else(missing)?)),
        byte => 15 + usize::from(byte),
    };
    bits.refill();
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::decode;

    /// A code in which literal `a` has the bit 0 and the given match symbol the bit 1.
    fn input(match_symbol: usize, stream: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 256];
        for symbol in [usize::from(b'a'), match_symbol] {
            bytes[symbol / 2] |= 1 << (4 * (symbol % 2));
        }
        bytes.extend(stream);
        bytes
    }

    #[test]
    fn literals_and_matches_are_decoded() {
        // a, then a match of length 3 + 2 at offset 1 (magnitude 0)
        let mut output = [0; 6];
        decode(&input(256 + 2, &[0x00, 0x40]), &mut output).expect("valid");
        assert_eq!(&output, b"aaaaaa");
    }

    #[test]
    fn long_lengths_come_from_between_the_words() {
        let mut output = [0; 1 + 15 + 7 + 3];
        decode(&input(256 + 15, &[0x00, 0x40, 0, 0, 7]), &mut output).expect("valid");
        assert_eq!(output, [b'a'; 26]);
        let mut output = [0; 1 + 300 + 3];
        decode(&input(256 + 15, &[0x00, 0x40, 0, 0, 255, 44, 1]), &mut output).expect("valid");
        assert_eq!(output, [b'a'; 304]);
        let error = decode(&input(256 + 15, &[0x00, 0x40, 0, 0]), &mut output).expect_err("short");
        assert_eq!(error.output_offset, 1);
    }

    #[test]
    fn matches_before_the_start_are_refused() {
        let error = decode(&input(256 + 2, &[0x00, 0x80]), &mut [0; 8]).expect_err("no output yet");
        assert!(error.to_string().contains("output byte 0"), "{error}");
    }
}
