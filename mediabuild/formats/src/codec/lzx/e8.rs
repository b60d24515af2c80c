//! The x86 filter: operands of `call` become absolute, so that calls of one function look alike.
//!
//! WIM files have it always on, and it starts afresh in each chunk.

/// The file size that the x86 filter of WIM files assumes.
const E8_FILE_BYTES: i32 = 12_000_000;
/// The filter leaves this many bytes at the end of a chunk alone.
const E8_TAIL_BYTES: usize = 10;

/// Makes operands absolute, before compression.
pub(super) fn apply_e8(chunk: &mut [u8]) {
    each_operand(chunk, |operand, position| {
        if !(-position..E8_FILE_BYTES).contains(&operand) {
            return operand;
        }
        let wraps = operand >= E8_FILE_BYTES - position;
        if wraps { operand - E8_FILE_BYTES } else { operand + position }
    });
}

/// Makes operands relative again.
pub(super) fn undo_e8(chunk: &mut [u8]) {
    each_operand(chunk, |operand, position| {
        if (0..E8_FILE_BYTES).contains(&operand) {
            operand - position
        } else if (-position..0).contains(&operand) {
            operand + E8_FILE_BYTES
        } else {
            operand
        }
    });
}

/// Replaces the operand of everything that looks like a `call` by what `change` makes of it and
/// of the position.
fn each_operand(chunk: &mut [u8], change: impl Fn(i32, i32) -> i32) {
    let Some(limit) = chunk.len().checked_sub(E8_TAIL_BYTES) else { return };
    let mut index = 0;
    while let Some(found) = chunk.get(index..limit).and_then(find_e8) {
        index += found;
        if let Some(operand) = chunk[index + 1..].first_chunk_mut::<4>() {
            *operand = change(i32::from_le_bytes(*operand), index as i32).to_le_bytes();
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
    use super::{apply_e8, undo_e8};

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

    #[test]
    fn the_filter_is_undone_at_every_edge() {
        const FILE: i32 = 12_000_000;
        let operands = [0, 1, -1, -500, -501, -499, FILE, FILE - 1, FILE + 1, FILE - 500];
        for operand in operands.into_iter().chain([FILE - 501, -FILE, i32::MIN, i32::MAX]) {
            let mut chunk = vec![7; 600];
            for position in (0..590).step_by(5) {
                chunk[position] = 0xe8;
                chunk[position + 1..position + 5].copy_from_slice(&operand.to_le_bytes());
            }
            let original = chunk.clone();
            apply_e8(&mut chunk);
            undo_e8(&mut chunk);
            assert_eq!(chunk, original, "{operand}");
        }
    }
}
