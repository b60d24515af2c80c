//! Whether bytes look compressed or encrypted already, so that weighing them is a waste.

/// Bytes that are judged at once: few enough to find compressed files among others, enough for
/// their histogram to be smooth. With 64 KiB blocks that are noise in part count as noise, which
/// costs them 3 %.
pub(super) const BLOCK_BYTES: usize = 32 << 10;

/// By how much the chance that two bytes are equal may exceed 1/256, as a part of it. Random bytes
/// exceed it by 1/128 in a block of this size, deflate's output by 1/100 to 1/50, code never by
/// less than 1/16.
const EXCESS_PART: u64 = 48;

/// Distances at which numbers in a row may stand.
const SPANS: [usize; 4] = [1, 2, 4, 8];
/// Noise continues the line of two earlier bytes once in 256 times. Four times that is order.
const PREDICTED_PART: usize = 64;

/// Whether a block's bytes are nearly evenly distributed, and not because something counts there.
pub(super) fn is_noise(block: &[u8]) -> bool {
    is_even(block) && SPANS.iter().all(|&span| !is_counting(block, span))
}

/// Whether more bytes than by chance change as much as the byte one span before did.
fn is_counting(block: &[u8], span: usize) -> bool {
    let (middle, last) = (block.get(span..), block.get(2 * span..));
    let (Some(middle), Some(last)) = (middle, last) else { return false };
    let is_predicted = |((&first, &middle), &last): ((&u8, &u8), &u8)| {
        last.wrapping_sub(middle) == middle.wrapping_sub(first)
    };
    let predicted = block.iter().zip(middle).zip(last).filter(|bytes| is_predicted(*bytes)).count();
    predicted > block.len() / PREDICTED_PART
}

/// Blocks of less than a few kilobytes are not: their histograms are rough.
fn is_even(block: &[u8]) -> bool {
    let mut counts = [0_u32; 256];
    for &byte in block {
        counts[usize::from(byte)] += 1;
    }
    let pairs: u64 = counts.iter().map(|&count| u64::from(count) * u64::from(count)).sum();
    let size = block.len() as u64;
    let even = size * size / 256;
    pairs < even + even / EXCESS_PART
}

#[cfg(test)]
mod tests {
    use super::{BLOCK_BYTES, is_even, is_noise};

    #[test]
    fn random_bytes_are_noise_and_text_is_not() {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let random: Vec<u8> = (0..BLOCK_BYTES).map(|_| next()).collect();
        assert!(is_noise(&random));
        let letters: Vec<u8> = random.iter().map(|byte| byte % 255).collect();
        assert!(is_noise(&letters));
        let letters: Vec<u8> = random.iter().map(|byte| byte & 0x7f).collect();
        assert!(!is_noise(&letters));
        assert!(!is_noise(&random[..1000]));
        assert!(!is_noise(&[]));
    }

    #[test]
    fn counters_are_no_noise() {
        for step in [37_u16, 259] {
            let bytes =
                (0..BLOCK_BYTES / 2).flat_map(|i| step.wrapping_mul(i as u16).to_be_bytes());
            let bytes: Vec<u8> = bytes.collect();
            assert!(is_even(&bytes) && !is_noise(&bytes), "{step}");
        }
    }
}
