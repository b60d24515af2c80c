//! Huffman codes that both sides rebuild after a number of symbols from what they have counted.
//!
//! The code is canonical, its lengths those of Huffman's method with ties that favour leaves. The
//! rarest symbols in the order (frequency, symbol) get the longest codes.

/// Longest code.
pub(super) const MAX_LENGTH: usize = 15;

/// Frequencies below are sorted by counting. There are at most 2 · (1024 + 799) / 256 = 14 others,
/// as a rebuild halves all frequencies.
const COUNTED: usize = 256;

/// Frequencies and code lengths of an alphabet of up to `SYMBOLS`.
#[derive(Clone)]
pub(super) struct AdaptiveCode<const SYMBOLS: usize> {
    symbol_count: usize,
    interval: u32,
    until_rebuild: u32,
    frequencies: [u16; SYMBOLS],
    pub(super) lengths: [u8; SYMBOLS],
}

impl<const SYMBOLS: usize> AdaptiveCode<SYMBOLS> {
    /// All symbols are equally likely at first. `interval` symbols are coded with one code.
    pub(super) fn new(symbol_count: usize, interval: u32) -> Self {
        assert!(symbol_count <= SYMBOLS);
        let mut code = AdaptiveCode {
            symbol_count,
            interval,
            until_rebuild: interval,
            frequencies: [1; SYMBOLS],
            lengths: [0; SYMBOLS],
        };
        code.rebuild();
        code
    }

    /// The lengths of the symbols in use.
    pub(super) fn lengths(&self) -> &[u8] {
        &self.lengths[..self.symbol_count]
    }

    /// Counts a symbol that was coded; true if the code is another one now.
    #[inline(always)]
    pub(super) fn count(&mut self, symbol: usize) -> bool {
        self.frequencies[symbol] += 1;
        self.until_rebuild -= 1;
        if self.until_rebuild == 0 {
            self.rebuild();
        }
        self.until_rebuild == self.interval
    }

    #[inline(never)]
    fn rebuild(&mut self) {
        self.until_rebuild = self.interval;
        let frequencies = &mut self.frequencies[..self.symbol_count];
        Tree::<SYMBOLS>::new().lengths(frequencies, &mut self.lengths);
        for frequency in frequencies {
            *frequency = (*frequency >> 1) + 1;
        }
    }
}

/// Room to build the tree of a code.
struct Tree<const SYMBOLS: usize> {
    /// Leaves, the rarest first: frequency · 2^16 + symbol.
    leaves: [u32; SYMBOLS],
    /// Inner nodes, the rarest first: frequencies.
    inner: [u32; SYMBOLS],
    /// By inner node: the inner node above it, then its depth.
    parents: [u16; SYMBOLS],
}

impl<const SYMBOLS: usize> Tree<SYMBOLS> {
    fn new() -> Self {
        Tree { leaves: [0; SYMBOLS], inner: [0; SYMBOLS], parents: [0; SYMBOLS] }
    }

    fn lengths(mut self, frequencies: &[u16], lengths: &mut [u8; SYMBOLS]) {
        let count = frequencies.len();
        if count < 2 {
            lengths[..count].fill(1);
            return;
        }
        self.sort(frequencies);
        self.merge(count);
        let length_counts = self.length_counts(count);
        let mut leaves = self.leaves[..count].iter();
        for length in (1..=MAX_LENGTH).rev() {
            for &leaf in leaves.by_ref().take(usize::from(length_counts[length])) {
                lengths[(leaf & 0xffff) as usize] = length as u8;
            }
        }
    }

    fn sort(&mut self, frequencies: &[u16]) {
        let mut starts = [0_u16; COUNTED];
        let bucket = |frequency: u16| usize::from(frequency).min(COUNTED - 1);
        for &frequency in frequencies {
            starts[bucket(frequency)] += 1;
        }
        let mut start = 0;
        for count in &mut starts {
            start += std::mem::replace(count, start);
        }
        let rest = usize::from(starts[COUNTED - 1]);
        for (symbol, &frequency) in frequencies.iter().enumerate() {
            let position = &mut starts[bucket(frequency)];
            self.leaves[usize::from(*position)] = u32::from(frequency) << 16 | symbol as u32;
            *position += 1;
        }
        self.leaves[rest..frequencies.len()].sort_unstable();
    }

    /// Joins the two rarest nodes until there is one.
    fn merge(&mut self, count: usize) {
        let (mut leaf, mut inner) = (0, 0);
        // Above every frequency, for what has run out.
        const NONE: u32 = u32::MAX;
        for node in 0..count - 1 {
            let mut frequency = 0;
            for _ in 0..2 {
                let leaf_frequency = if leaf < count { self.leaves[leaf] >> 16 } else { NONE };
                let inner_frequency = if inner < node { self.inner[inner] } else { NONE };
                if leaf_frequency <= inner_frequency {
                    frequency += leaf_frequency;
                    leaf += 1;
                } else {
                    frequency += inner_frequency;
                    self.parents[inner] = node as u16;
                    inner += 1;
                }
            }
            self.inner[node] = frequency;
        }
    }

    /// How many leaves are how deep. Frequencies that would need more than [`MAX_LENGTH`] levels
    /// cannot come up: 16 levels need a total of 2584, alphabets of at most 268 symbols never have
    /// that, and larger ones have too many symbols in the middle. The limit is there all the same.
    fn length_counts(&mut self, count: usize) -> [u16; MAX_LENGTH + 1] {
        let mut counts = [0_u16; MAX_LENGTH + 1];
        let root = count - 2;
        self.parents[root] = 0;
        counts[1] = 2;
        for node in (0..root).rev() {
            let depth = self.parents[usize::from(self.parents[node])] + 1;
            self.parents[node] = depth;
            let mut depth = usize::from(depth);
            if depth >= MAX_LENGTH {
                depth = MAX_LENGTH - 1;
                while counts[depth] == 0 {
                    depth -= 1;
                }
            }
            counts[depth] -= 1;
            counts[depth + 1] += 2;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::{AdaptiveCode, Tree};

    fn lengths_of<const N: usize>(frequencies: [u16; N]) -> [u8; N] {
        let mut lengths = [0; N];
        Tree::<N>::new().lengths(&frequencies, &mut lengths);
        lengths
    }

    #[test]
    fn lengths_are_those_of_huffman() {
        assert_eq!(lengths_of([1, 1, 1, 1]), [2, 2, 2, 2]);
        assert_eq!(lengths_of([5, 1, 1, 2]), [1, 3, 3, 2]);
        assert_eq!(lengths_of([1, 1, 1]), [2, 2, 1], "leaves are joined first");
        assert_eq!(lengths_of([700, 1, 600, 300]), [1, 3, 2, 3]);
        assert_eq!(lengths_of([3]), [1]);
    }

    #[test]
    fn no_code_is_longer_than_the_limit() {
        let mut frequencies = [1_u16; 20];
        (2..20).for_each(|i| frequencies[i] = frequencies[i - 1] + frequencies[i - 2]);
        let lengths = lengths_of(frequencies);
        let space: u32 = lengths.iter().map(|&length| 1 << (15 - length)).sum();
        assert_eq!(space, 1 << 15, "the code is complete: {lengths:?}");
    }

    #[test]
    fn a_code_is_rebuilt_after_its_interval() {
        let mut code = AdaptiveCode::<4>::new(4, 8);
        assert_eq!(code.lengths(), [2; 4]);
        assert!((0..7).all(|_| !code.count(2)));
        assert!(code.count(2));
        assert_eq!(code.lengths(), [3, 3, 1, 2]);
        assert_eq!(code.frequencies, [1, 1, 5, 1]);
    }
}
