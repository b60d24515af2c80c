//! How far two places of a window agree, eight bytes at a time.

/// How many bytes are equal, up to `limit`. `difference_at` compares the eight bytes that begin so
/// many behind the start, first byte in the low bits: zeros where they are equal. They reach up
/// to seven bytes beyond the limit.
#[inline(always)]
pub(super) fn equal_length(limit: usize, difference_at: impl Fn(usize) -> u64) -> usize {
    let mut length = 0;
    while length < limit {
        let difference = difference_at(length);
        if difference != 0 {
            return (length + (difference.trailing_zeros() >> 3) as usize).min(limit);
        }
        length += 8;
    }
    limit
}

#[cfg(test)]
mod tests {
    use super::equal_length;

    #[test]
    fn equal_bytes_count_up_to_the_limit() {
        let (left, mut right) = ([7_u8; 40], [7; 40]);
        right[19] = 8;
        let load = |bytes: &[u8; 40], at: usize| {
            u64::from_le_bytes(*bytes[at..].first_chunk().expect("eight bytes"))
        };
        for limit in 0..=32 {
            let found = equal_length(limit, |at| load(&left, at) ^ load(&right, at));
            assert_eq!(found, limit.min(19), "{limit}");
            assert_eq!(equal_length(limit, |at| load(&left, at) ^ load(&left, at)), limit);
        }
    }
}
