//! What items cost, with the codes and probabilities of the moment, in fractions of a bit.
//!
//! Integers only: what an encoder emits must not depend on a machine's floats.

use super::adaptive_huffman::AdaptiveCode;
use super::emit::{CodeWords, Codes};
use super::model::DELTA_POWERS;
use super::probability::PROBABILITY_BITS;
use super::slots::{LENGTH_SLOTS, LENGTHS, MAX_OFFSET_SLOTS, OFFSETS, SlotIndex};
use crate::codec::log2::{FRACTION_BITS, log2};

/// One bit.
pub(super) const BIT: u32 = 1 << FRACTION_BITS;
/// Lengths whose costs are in a table: longer matches are not weighed.
pub(super) const LENGTHS_MAX: usize = 512;

/// Costs of symbols with their extra bits.
pub(super) struct Costs {
    pub(super) literal: [u32; 256],
    /// By length.
    pub(super) length: [u32; LENGTHS_MAX + 1],
    lz_slot: [u32; MAX_OFFSET_SLOTS],
    delta_slot: [u32; MAX_OFFSET_SLOTS],
    pub(super) delta_power: [u32; DELTA_POWERS],
    /// By the probability of a zero: what a zero costs. A one costs what the opposite does.
    decision: [u32; 1 << PROBABILITY_BITS],
    slots: SlotIndex,
    /// The code generations that the tables are of.
    generations: [u32; 5],
}

impl Costs {
    pub(super) fn new() -> Costs {
        let zero_cost = |probability| (PROBABILITY_BITS << FRACTION_BITS) - log2(probability);
        Costs {
            literal: [0; 256],
            length: [0; LENGTHS_MAX + 1],
            lz_slot: [0; MAX_OFFSET_SLOTS],
            delta_slot: [0; MAX_OFFSET_SLOTS],
            delta_power: [0; DELTA_POWERS],
            decision: std::array::from_fn(|probability| zero_cost(probability as u32)),
            slots: SlotIndex::new(),
            generations: [0; 5],
        }
    }

    pub(super) fn start(&mut self) {
        self.generations = [0; 5];
    }

    /// Takes over the codes that have changed.
    pub(super) fn update(&mut self, codes: &Codes) {
        let [literal, length, lz, delta, power] = &mut self.generations;
        if is_newer(literal, &codes.literal) {
            set(&mut self.literal, &codes.literal.code, |_| 0);
        }
        if is_newer(length, &codes.length) {
            let mut slots = [0; LENGTH_SLOTS];
            set(&mut slots, &codes.length.code, |slot| LENGTHS.extra_bits[slot]);
            let mut slot = 0;
            for (length, cost) in (0..).zip(&mut self.length).skip(1) {
                slot += usize::from(LENGTHS.base[slot + 1] <= length);
                *cost = slots[slot];
            }
        }
        if is_newer(lz, &codes.lz_offset) {
            set(&mut self.lz_slot, &codes.lz_offset.code, |slot| OFFSETS.extra_bits[slot]);
        }
        if is_newer(delta, &codes.delta_offset) {
            set(&mut self.delta_slot, &codes.delta_offset.code, |slot| OFFSETS.extra_bits[slot]);
        }
        if is_newer(power, &codes.delta_power) {
            set(&mut self.delta_power, &codes.delta_power.code, |_| 0);
        }
    }

    #[inline(always)]
    pub(super) fn lz_offset(&self, offset: u32) -> u32 {
        self.lz_slot[self.slots.slot_of(offset)]
    }

    #[inline(always)]
    pub(super) fn delta_offset(&self, raw_offset: u32) -> u32 {
        self.delta_slot[self.slots.slot_of(raw_offset)]
    }

    /// Costs of a zero and a one.
    #[inline(always)]
    pub(super) fn decision(&self, zero_probability: u32) -> [u32; 2] {
        let index = zero_probability as usize % (1 << PROBABILITY_BITS);
        [self.decision[index], self.decision[(1 << PROBABILITY_BITS) - index]]
    }
}

fn is_newer<const N: usize>(generation: &mut u32, code: &CodeWords<N>) -> bool {
    std::mem::replace(generation, code.generation) != code.generation
}

fn set<const N: usize>(costs: &mut [u32; N], code: &AdaptiveCode<N>, extra: impl Fn(usize) -> u8) {
    for (symbol, (cost, &length)) in costs.iter_mut().zip(code.lengths()).enumerate() {
        *cost = u32::from(length + extra(symbol)) * BIT;
    }
}
