//! Copies of earlier output: the matches of LZ77 codecs.

/// Bytes copied at once.
const STEP: usize = 16;

/// Appends `length` bytes at `position` that repeat those `offset` bytes before. The caller has
/// checked that `0 < offset <= position` and `position + length <= output.len()`.
#[inline(always)]
pub(super) fn copy_match(output: &mut [u8], position: usize, offset: usize, length: usize) {
    let end = position + length;
    // Most matches are short: one step, which may write past their end, where the next symbol
    // writes anyway.
    if offset >= STEP && end + STEP <= output.len() {
        let (mut from, mut to) = (position - offset, position);
        loop {
            output.copy_within(from..from + STEP, to);
            from += STEP;
            to += STEP;
            if to >= end {
                return;
            }
        }
    }
    copy_overlapping(output, position, offset, length);
}

/// Near matches, which repeat bytes they have just written, and those at the end of the output.
#[inline]
fn copy_overlapping(output: &mut [u8], position: usize, offset: usize, length: usize) {
    let end = position + length;
    if offset == 1 {
        let byte = output[position - 1];
        output[position..end].fill(byte);
        return;
    }
    for to in position..end {
        output[to] = output[to - offset];
    }
}

#[cfg(test)]
mod tests {
    use super::copy_match;

    #[test]
    fn every_offset_and_length_repeats_earlier_bytes() {
        for offset in 1..40 {
            for length in 1..80 {
                for slack in [0, 1, 15, 16, 40] {
                    let mut output: Vec<u8> = (0..40 + length + slack).map(|i| i as u8).collect();
                    copy_match(&mut output, 40, offset, length);
                    let mut expected: Vec<u8> = (0..40).collect();
                    (40..40 + length).for_each(|i| expected.push(expected[i - offset]));
                    assert_eq!(output[..40 + length], expected, "{offset} {length} {slack}");
                }
            }
        }
    }
}
