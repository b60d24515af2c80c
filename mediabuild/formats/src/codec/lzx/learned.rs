//! `Learned`: prices that follow what the optimal parser has chosen so far in a chunk.
//!
//! A parser that must know its prices before it starts needs a pass to learn them. What it chose
//! among the first bytes tells nearly as well what the next ones will cost.

use super::codes::Counts;
use super::prices::Prices;
use super::token::Token;

/// For how many chosen tokens the expected ones count. With 500 or 2,000 of them chunks are 0.02 %
/// larger.
const EXPECTED_TOKENS: u64 = 1000;
/// Counts are in parts of a token, so that the rarest expected symbols have some.
const TOKEN_PARTS: u32 = 16;

/// What was expected and what was chosen.
pub(super) struct Learned {
    expected: Counts,
    chosen: Counts,
    prices: Prices,
}

impl Learned {
    /// Starts with expected counts of any scale.
    pub(super) fn new(mut expected: Counts) -> Learned {
        let mut prices = Prices::new();
        prices.set(&expected);
        let total: u64 = expected.main.iter().map(|&count| u64::from(count)).sum();
        for count in expected.main.iter_mut().chain(&mut expected.length) {
            let parts = EXPECTED_TOKENS * u64::from(TOKEN_PARTS) * u64::from(*count);
            *count = (parts / total.max(1)) as u32;
        }
        Learned { expected, chosen: Counts::new(), prices }
    }

    /// Takes note of a chosen token.
    #[inline(always)]
    pub(super) fn add(&mut self, token: Token) {
        self.chosen.add(token);
    }

    /// Brings the prices up to date.
    pub(super) fn update(&mut self) {
        let mut counts = self.expected.clone();
        let main = counts.main.iter_mut().zip(&self.chosen.main);
        let length = counts.length.iter_mut().zip(&self.chosen.length);
        main.chain(length).for_each(|(count, chosen)| *count += chosen * TOKEN_PARTS);
        counts.aligned.clone_from(&self.chosen.aligned);
        self.prices.set(&counts);
    }

    pub(super) fn prices(&self) -> &Prices {
        &self.prices
    }
}
