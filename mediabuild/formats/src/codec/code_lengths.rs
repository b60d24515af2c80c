//! Lengths of Huffman codes for given frequencies, and the canonical codes of given lengths.
//!
//! Integers only. Codes are complete, as some decoders demand it: a lone symbol gets company.

/// Largest alphabet: the 512 symbols of XPRESS.
const SYMBOLS_MAX: usize = 512;
/// Longest code of any alphabet.
const LENGTH_MAX: usize = 16;

/// A used symbol: its frequency above, the symbol in the low bits.
type Entry = u32;
const SYMBOL_BITS: u32 = 10;

/// Sets the lengths of a code of at most `limit` bits that is optimal for these frequencies, or
/// nearly so if the limit matters. Symbols that do not occur get length 0. The sum of all
/// frequencies is below 2^22.
pub(super) fn set_code_lengths(frequencies: &[u32], limit: usize, lengths: &mut [u8]) {
    debug_assert!(frequencies.len() <= SYMBOLS_MAX && limit <= LENGTH_MAX);
    lengths.fill(0);
    let mut entries = [0; SYMBOLS_MAX];
    let count = sorted_entries(frequencies, &mut entries);
    match count {
        0 => return,
        1 => return set_lone(symbol(entries[0]), lengths),
        _ => {}
    }
    let mut counts = depth_counts(&entries[..count], limit);
    make_room(&mut counts, limit);
    // The rarest symbols get the longest codes.
    let mut rest = entries[..count].iter();
    for length in (1..=limit).rev() {
        for &entry in rest.by_ref().take(usize::from(counts[length])) {
            lengths[symbol(entry)] = length as u8;
        }
    }
}

fn symbol(entry: Entry) -> usize {
    (entry & ((1 << SYMBOL_BITS) - 1)) as usize
}

/// One bit for the only symbol, and one for another that never occurs.
fn set_lone(symbol: usize, lengths: &mut [u8]) {
    lengths[symbol] = 1;
    lengths[usize::from(symbol == 0)] = 1;
}

/// Used symbols by ascending frequency, then symbol; returns how many there are.
fn sorted_entries(frequencies: &[u32], entries: &mut [Entry; SYMBOLS_MAX]) -> usize {
    let mut count = 0;
    for (symbol, &frequency) in frequencies.iter().enumerate().take(SYMBOLS_MAX) {
        // Written without a branch: which symbols occur is hard to predict.
        entries[count & (SYMBOLS_MAX - 1)] = frequency << SYMBOL_BITS | symbol as u32;
        count += usize::from(frequency != 0);
    }
    sort_by_frequency(entries, count);
    count
}

/// Radix sort, stable, by bytes of the frequency: a comparison sort took a tenth of the time of
/// the fast level.
fn sort_by_frequency(entries: &mut [Entry; SYMBOLS_MAX], count: usize) {
    let all = entries[..count].iter().fold(0, |all, &entry| all | entry >> SYMBOL_BITS);
    let mut sorted = [0; SYMBOLS_MAX];
    for shift in [0, 8, 16] {
        if all >> shift == 0 {
            return;
        }
        let digit = |entry: Entry| (entry >> (SYMBOL_BITS + shift)) as usize & 255;
        let mut starts = [0_u16; 256];
        entries[..count].iter().for_each(|&entry| starts[digit(entry)] += 1);
        let mut start = 0;
        for slot in &mut starts {
            start += std::mem::replace(slot, start);
        }
        for &entry in &entries[..count] {
            let slot = &mut starts[digit(entry)];
            sorted[usize::from(*slot) & (SYMBOLS_MAX - 1)] = entry;
            *slot += 1;
        }
        entries[..count].copy_from_slice(&sorted[..count]);
    }
}

/// How many leaves of the Huffman tree lie at each depth; those below `limit` count there.
/// Moffat and Katajainen's in-place construction over frequencies in ascending order.
fn depth_counts(entries: &[Entry], limit: usize) -> [u16; LENGTH_MAX + 1] {
    let leaves = entries.len();
    let mut nodes = [0_u32; SYMBOLS_MAX];
    let (mut leaf, mut root) = (0, 0);
    for next in 0..leaves - 1 {
        let mut weight = 0;
        for _ in 0..2 {
            let is_leaf =
                leaf < leaves && (root >= next || entries[leaf] >> SYMBOL_BITS <= nodes[root]);
            if is_leaf {
                weight += entries[leaf] >> SYMBOL_BITS;
                leaf += 1;
            } else {
                weight += std::mem::replace(&mut nodes[root], next as u32);
                root += 1;
            }
        }
        nodes[next] = weight;
    }
    leaves_by_depth(&mut nodes[..leaves - 1], limit)
}

/// From the parents of the internal nodes, the last one being the root.
fn leaves_by_depth(parents: &mut [u32], limit: usize) -> [u16; LENGTH_MAX + 1] {
    let mut counts = [0; LENGTH_MAX + 1];
    let last = parents.len() - 1;
    parents[last] = 0;
    // Each internal node turns a leaf into two leaves one deeper.
    counts[1.min(limit)] = 2;
    for node in (0..last).rev() {
        let depth = parents[parents[node] as usize] + 1;
        parents[node] = depth;
        let depth = depth as usize;
        counts[depth.min(limit)] -= 1;
        counts[(depth + 1).min(limit)] += 2;
    }
    counts
}

/// Lengthens short codes until all codes fit: there may be too many of the longest kind.
fn make_room(counts: &mut [u16; LENGTH_MAX + 1], limit: usize) {
    let used = |counts: &[u16; LENGTH_MAX + 1]| -> u32 {
        (1..=limit).map(|length| u32::from(counts[length]) << (limit - length)).sum()
    };
    let mut over = used(counts).saturating_sub(1 << limit);
    while over > 0 {
        // A leaf above the limit becomes a node of itself and one of the longest codes.
        let Some(length) = (1..limit).rev().find(|&length| counts[length] > 0) else { return };
        counts[length] -= 1;
        counts[length + 1] += 2;
        counts[limit] -= 1;
        over -= 1;
    }
}

/// Canonical codes: shorter codes first, ties by symbol. Codes of length 0 are 0.
pub(super) fn set_codes(lengths: &[u8], codes: &mut [u16]) {
    let mut next = [0_u16; LENGTH_MAX + 1];
    for &length in lengths {
        next[usize::from(length)] += 1;
    }
    let mut code = 0_u16;
    next[0] = 0;
    for next in &mut next[1..] {
        // Past a complete code the sum wraps, and is not used any more.
        let count = std::mem::replace(next, code);
        code = code.wrapping_add(count).wrapping_shl(1);
    }
    for (code, &length) in codes.iter_mut().zip(lengths) {
        let next = &mut next[usize::from(length)];
        *code = *next;
        *next = next.wrapping_add(u16::from(length != 0));
    }
}

#[cfg(test)]
mod tests {
    use super::{set_code_lengths, set_codes};

    fn lengths_of(frequencies: &[u32], limit: usize) -> Vec<u8> {
        let mut lengths = vec![0xff; frequencies.len()];
        set_code_lengths(frequencies, limit, &mut lengths);
        lengths
    }

    /// The share of all codes that is taken, in units of the longest one.
    fn taken(lengths: &[u8]) -> u32 {
        lengths.iter().filter(|&&length| length > 0).map(|&length| 1 << (16 - length)).sum()
    }

    /// The cost of an optimal code of limited length, by package-merge.
    fn optimal_cost(frequencies: &[u32], limit: usize) -> u32 {
        let mut leaves: Vec<u32> = frequencies.iter().copied().filter(|&f| f > 0).collect();
        leaves.sort_unstable();
        let mut level = leaves.clone();
        for _ in 1..limit {
            let mut next: Vec<u32> = level.chunks_exact(2).map(|pair| pair[0] + pair[1]).collect();
            next.extend(&leaves);
            next.sort_unstable();
            level = next;
        }
        level.iter().take(2 * leaves.len() - 2).sum()
    }

    fn cost(frequencies: &[u32], lengths: &[u8]) -> u32 {
        frequencies.iter().zip(lengths).map(|(f, &length)| f * u32::from(length)).sum()
    }

    #[test]
    fn codes_are_complete_and_optimal_where_the_limit_does_not_matter() {
        let mut state = 1_u32;
        for round in 0..300 {
            let frequencies: Vec<u32> = (0..2 + round % 250)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    ((state >> 8) % (1 + round * 3)) >> (state % 9)
                })
                .collect();
            let used = frequencies.iter().filter(|&&f| f > 0).count();
            let lengths = lengths_of(&frequencies, 16);
            assert_eq!(taken(&lengths), if used == 0 { 0 } else { 1 << 16 });
            if used > 1 {
                assert_eq!(cost(&frequencies, &lengths), optimal_cost(&frequencies, 16));
                let unused = frequencies.iter().zip(&lengths).filter(|(f, _)| **f == 0);
                assert!(unused.map(|(_, length)| length).all(|&length| length == 0));
            }
        }
    }

    #[test]
    fn limits_hold_and_cost_little() {
        let mut fibonacci = vec![1, 1];
        while fibonacci.len() < 26 {
            fibonacci.push(fibonacci[fibonacci.len() - 1] + fibonacci[fibonacci.len() - 2]);
        }
        for limit in [12, 15, 16] {
            for skip in 0..9 {
                let frequencies = &fibonacci[..26 - skip];
                let lengths = lengths_of(frequencies, limit);
                assert!(lengths.iter().all(|&length| usize::from(length) <= limit));
                assert_eq!(taken(&lengths), 1 << 16, "{limit} {skip}");
                let (cost, optimal) =
                    (cost(frequencies, &lengths), optimal_cost(frequencies, limit));
                assert!(cost <= optimal + optimal / 20, "{limit} {skip}: {cost} {optimal}");
            }
        }
        assert_eq!(lengths_of(&[1; 512], 9), [9; 512]);
    }

    #[test]
    fn a_lone_symbol_gets_company() {
        assert_eq!(lengths_of(&[0, 0, 7], 16), [1, 0, 1]);
        assert_eq!(lengths_of(&[7, 0, 0], 16), [1, 1, 0]);
        assert_eq!(lengths_of(&[0, 0, 0], 16), [0, 0, 0]);
    }

    #[test]
    fn shorter_codes_come_first() {
        let mut codes = [0; 5];
        set_codes(&[2, 5, 1, 3, 5], &mut codes);
        assert_eq!(codes, [0b10, 0b11100, 0, 0b110, 0b11101]);
    }
}
