//! Adaptive probabilities of binary decisions, in the context of earlier decisions of their kind.

/// Bits of a probability: it counts zeros among the last 64 decisions.
pub(super) const PROBABILITY_BITS: u32 = 6;

/// Decisions that the format codes, each with as many contexts as the history of its kind tells apart.
pub(super) const MAIN_CONTEXTS: usize = 16;
pub(super) const MATCH_CONTEXTS: usize = 32;
pub(super) const LZ_CONTEXTS: usize = 64;
pub(super) const DELTA_CONTEXTS: usize = 64;
pub(super) const REPEAT_CONTEXTS: usize = 64;

/// The last 64 decisions made in one context.
#[derive(Clone, Copy)]
pub(super) struct Recent {
    /// The latest one is the least significant bit.
    bits: u64,
    zero_count: u32,
}

impl Recent {
    /// What the format starts with: 48 of 64 are zero.
    const INITIAL: Recent = Recent { bits: 0x5555_5555, zero_count: 48 };

    /// The probability of a zero in 64ths; never 0 or 1.
    #[inline(always)]
    pub(super) fn zero_probability(self) -> u32 {
        self.zero_count.clamp(1, 63)
    }

    #[inline(always)]
    pub(super) fn push(&mut self, bit: u32) {
        let leaving = (self.bits >> 63) as u32;
        self.zero_count = (self.zero_count + leaving).wrapping_sub(bit);
        self.bits = self.bits << 1 | u64::from(bit);
    }
}

/// One kind of decision; `N` contexts, a power of two.
#[derive(Clone)]
pub(super) struct Decision<const N: usize> {
    /// The latest decisions, the last one in the least significant bit.
    pub(super) history: u32,
    pub(super) recent: [Recent; N],
}

impl<const N: usize> Decision<N> {
    pub(super) fn new() -> Self {
        const { assert!(N.is_power_of_two()) };
        Decision { history: 0, recent: [Recent::INITIAL; N] }
    }

    /// What is known of the next decision.
    #[inline(always)]
    pub(super) fn zero_probability(&self) -> u32 {
        self.recent[self.history as usize & (N - 1)].zero_probability()
    }

    #[inline(always)]
    pub(super) fn push(&mut self, bit: u32) {
        self.recent[self.history as usize & (N - 1)].push(bit);
        self.history = next_history::<N>(self.history, bit);
    }
}

/// The context after a decision.
#[inline(always)]
pub(super) fn next_history<const N: usize>(history: u32, bit: u32) -> u32 {
    (history << 1 | bit) & (N as u32 - 1)
}

#[cfg(test)]
mod tests {
    use super::{Decision, Recent};

    #[test]
    fn a_probability_counts_zeros_of_the_last_64_decisions() {
        let mut recent = Recent::INITIAL;
        (0..200).for_each(|_| recent.push(0));
        assert_eq!(recent.zero_probability(), 63);
        recent.push(1);
        recent.push(1);
        assert_eq!(recent.zero_probability(), 62);
        (0..100).for_each(|_| recent.push(1));
        assert_eq!(recent.zero_probability(), 1);
    }

    #[test]
    fn contexts_learn_apart() {
        let mut decision = Decision::<2>::new();
        for _ in 0..100 {
            decision.push(0);
            decision.push(1);
        }
        assert_eq!(decision.zero_probability(), 63, "{}", decision.history);
        decision.push(0);
        assert_eq!(decision.zero_probability(), 1);
    }
}
