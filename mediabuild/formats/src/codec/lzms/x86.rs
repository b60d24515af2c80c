//! The x86 filter: operands relative to an instruction become absolute, so that instructions with
//! one target look alike.
//!
//! Bytes count as code while two recent instructions within 64 KiB had the same target, by its low
//! 16 bits. Both directions see the relative operand at each instruction, so they agree on it.

/// Chunks up to this size are left alone.
const MIN_CHUNK_BYTES: usize = 17;
/// No instruction starts this close to the end.
const TAIL_BYTES: usize = 16;
/// How far after the last instruction with a known target operands are still translated.
const WINDOW_BYTES: i32 = 1023;
/// The same for `call`, whose one-byte opcode is often no instruction.
const CALL_WINDOW_BYTES: i32 = 511;
/// How far apart two uses of a target may be.
const TARGET_WINDOW_BYTES: i32 = 65535;

/// By byte: of which of these pairs it is the first, and the second. Most bytes that could begin an
/// instruction do not, which is known sooner than it can be predicted.
const FIRST: [u8; 256] = pairs(false);
const SECOND: [u8; 256] = pairs(true);

const fn pairs(is_second: bool) -> [u8; 256] {
    let mut kinds = [0; 256];
    let pairs = [(0xff, 0x15), (0xf0, 0x83), (0x48, 0x8d), (0x4c, 0x8d), (0x48, 0x8b)];
    let mut index = 0;
    while index < pairs.len() {
        let byte = if is_second { pairs[index].1 } else { pairs[index].0 };
        kinds[byte] |= 1 << index;
        index += 1;
    }
    // `call` and `jmp` are one byte.
    let mut byte = 0;
    while byte < 256 {
        if is_second || byte == 0xe8 || byte == 0xe9 {
            kinds[byte] |= 1 << pairs.len();
        }
        byte += 1;
    }
    kinds
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Translate,
    Undo,
}

/// Makes operands absolute, before compression.
pub(super) fn translate(chunk: &mut [u8]) {
    run(chunk, Direction::Translate);
}

/// Makes operands relative again, after decompression.
pub(super) fn undo(chunk: &mut [u8]) {
    run(chunk, Direction::Undo);
}

fn run(chunk: &mut [u8], direction: Direction) {
    if chunk.len() <= MIN_CHUNK_BYTES {
        return;
    }
    let mut filter = Filter::new(direction);
    let end = chunk.len() - TAIL_BYTES;
    let mut position = 1;
    while let Some(found) = chunk.get(position..=end).and_then(find_opcode) {
        position = filter.instruction(chunk, position + found);
    }
}

/// The first place, but for the last byte, where an instruction may start.
#[inline]
fn find_opcode(bytes: &[u8]) -> Option<usize> {
    let is_opcode = |pair: &[u8]| FIRST[usize::from(pair[0])] & SECOND[usize::from(pair[1])] != 0;
    bytes.windows(2).position(is_opcode)
}

struct Filter {
    direction: Direction,
    /// Where the last instruction with a known target ended.
    last_code: i32,
    /// By the low bits of a target: where it was used last.
    last_use: Vec<i32>,
}

impl Filter {
    fn new(direction: Direction) -> Filter {
        Filter {
            direction,
            last_code: -WINDOW_BYTES - 1,
            last_use: vec![-TARGET_WINDOW_BYTES - 1; 1 << 16],
        }
    }

    /// Looks at a byte that may be an opcode; returns where the search continues.
    #[inline]
    fn instruction(&mut self, chunk: &mut [u8], position: usize) -> usize {
        let Some(&[first, second, third]) = chunk[position..].first_chunk::<3>() else {
            return position + 1;
        };
        let (opcode_bytes, window_bytes) = match (first, second) {
            (0xff, 0x15) => (2, WINDOW_BYTES),
            (0xf0, 0x83) if third == 0x05 => (3, WINDOW_BYTES),
            (0x48 | 0x4c, 0x8d) if third & 0x07 == 0x05 => (3, WINDOW_BYTES),
            (0x48, 0x8b) if third & 0xf7 == 0x05 => (3, WINDOW_BYTES),
            (0xe8, _) => (1, CALL_WINDOW_BYTES),
            (0xe9, _) => return position + 5,
            _ => return position + 1,
        };
        let operand = position + opcode_bytes;
        if let Some(operand) = chunk[operand..].first_chunk_mut() {
            self.operand(operand, position as i32, opcode_bytes as i32, window_bytes);
        }
        operand + 4
    }

    fn operand(&mut self, bytes: &mut [u8; 4], position: i32, opcode: i32, window: i32) {
        let stored = i32::from_le_bytes(*bytes);
        let is_code = position - self.last_code <= window;
        let (relative, written) = match (is_code, self.direction) {
            (false, _) => (stored, stored),
            (true, Direction::Translate) => (stored, stored.wrapping_add(position)),
            (true, Direction::Undo) => {
                (stored.wrapping_sub(position), stored.wrapping_sub(position))
            }
        };
        *bytes = written.to_le_bytes();
        let target = &mut self.last_use[usize::from(position.wrapping_add(relative) as u16)];
        let end = position + opcode + 3;
        if end - *target <= TARGET_WINDOW_BYTES {
            self.last_code = end;
        }
        *target = end;
    }
}

#[cfg(test)]
mod tests {
    use super::{translate, undo};

    /// Calls of one function at even distances.
    fn calls(count: usize) -> Vec<u8> {
        let mut code = vec![0x90; count * 20 + 40];
        for call in 0..count {
            let position = call * 20 + 8;
            let target = 1000 - position as i32;
            code[position] = 0xe8;
            code[position + 1..position + 5].copy_from_slice(&target.to_le_bytes());
        }
        code
    }

    #[test]
    fn calls_of_one_function_look_alike_from_the_third_on() {
        let original = calls(6);
        let mut code = original.clone();
        translate(&mut code);
        assert_eq!(code[..48], original[..48]);
        for call in 2..6 {
            assert_eq!(code[call * 20 + 9..][..4], 1000_i32.to_le_bytes(), "{call}");
        }
        undo(&mut code);
        assert_eq!(code, original);
    }

    #[test]
    fn every_byte_string_comes_back() {
        let opcodes = [0xff, 0x15, 0xf0, 0x83, 0x05, 0x48, 0x4c, 0x8d, 0x8b, 0x0d, 0xe8, 0xe9, 0];
        let mut state = 1_u32;
        for size in (0..40).chain([1000, 5000, 300_000]) {
            let original: Vec<u8> = (0..size)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    opcodes[(state >> 20) as usize % opcodes.len()]
                })
                .collect();
            let mut bytes = original.clone();
            translate(&mut bytes);
            assert!(bytes != original || size < 300_000, "{size}");
            undo(&mut bytes);
            assert_eq!(bytes, original, "{size}");
        }
    }
}
