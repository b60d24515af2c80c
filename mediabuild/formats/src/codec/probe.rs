//! `Probe`: whether a chunk is worth a compressor's time.
//!
//! What is compressed already, or encrypted, has bytes that are all as frequent and no sequence
//! twice. A compressor takes as long for it as for anything, to find nothing.

use super::boxed_array;
use super::log2::{FRACTION_BITS, log2};

/// Smaller chunks cost little time, and what they save cannot be estimated well.
const CHUNK_MIN_BYTES: usize = 4096;
/// The first look: stretches of the chunk, and how long each is.
const STRETCHES: usize = 16;
const STRETCH_BYTES: usize = 256;
/// Bits per byte of the sample above which a closer look is taken. Noise has 7.95 in a sample of
/// 4,096 bytes, machine code and text have less than 6.8.
const SAMPLE_SUSPICIOUS: u32 = (7 << FRACTION_BITS) + (1 << FRACTION_BITS) / 2;
/// Literals that save less than a part of this many are not worth a code.
const SAVED_PART: u64 = 200;
/// What the code itself takes at least, in bits.
const CODE_BITS: u64 = 400;
/// Of all four-byte sequences, those are looked at whose hashes start with this many zeros.
const HASH_SAMPLE_BITS: u32 = 4;
/// Room for what is looked at; noise of 64 KiB has 4,096.
const SAMPLE_MAX: usize = 1 << 13;
const TABLE_BITS: u32 = 12;
/// A sequence seen twice for this many bytes of the chunk is order.
const BYTES_PER_REPEAT: usize = 4096;

/// The tables of a probe.
pub(super) struct Probe {
    counts: Box<[[u32; 256]; 4]>,
    sample: Box<[u32; SAMPLE_MAX]>,
    seen: Box<[u32; 1 << TABLE_BITS]>,
}

impl Probe {
    pub(super) fn new() -> Probe {
        Probe { counts: Box::new([[0; 256]; 4]), sample: boxed_array(0), seen: boxed_array(0) }
    }

    /// Whether compression would save next to nothing.
    pub(super) fn is_incompressible(&mut self, chunk: &[u8]) -> bool {
        chunk.len() >= CHUNK_MIN_BYTES
            && self.sample_is_suspicious(chunk)
            && self.literals_save_nothing(chunk)
            && self.is_without_repeats(chunk)
    }

    fn sample_is_suspicious(&mut self, chunk: &[u8]) -> bool {
        let step = (chunk.len() - STRETCH_BYTES) / (STRETCHES - 1);
        self.clear();
        for stretch in 0..STRETCHES {
            let start = stretch * step;
            self.count(&chunk[start..start + STRETCH_BYTES]);
        }
        let sample = (STRETCHES * STRETCH_BYTES) as u32;
        self.entropy(sample) > u64::from(SAMPLE_SUSPICIOUS) * u64::from(sample)
    }

    fn literals_save_nothing(&mut self, chunk: &[u8]) -> bool {
        self.clear();
        self.count(chunk);
        let size = chunk.len() as u64;
        let saved_bits = (size * 8) - (self.entropy(chunk.len() as u32) >> FRACTION_BITS);
        saved_bits <= CODE_BITS + size * 8 / SAVED_PART
    }

    fn clear(&mut self) {
        self.counts.iter_mut().for_each(|counts| counts.fill(0));
    }

    /// Four tables in turn: the same byte twice would wait for itself.
    fn count(&mut self, bytes: &[u8]) {
        let [first, second, third, fourth] = &mut *self.counts;
        let (quads, rest) = bytes.as_chunks::<4>();
        for quad in quads {
            first[usize::from(quad[0])] += 1;
            second[usize::from(quad[1])] += 1;
            third[usize::from(quad[2])] += 1;
            fourth[usize::from(quad[3])] += 1;
        }
        rest.iter().for_each(|&byte| first[usize::from(byte)] += 1);
    }

    /// How many bits the counted bytes have, with the fraction bits of a logarithm.
    fn entropy(&self, total: u32) -> u64 {
        let count = |byte: usize| self.counts.iter().map(|counts| counts[byte]).sum::<u32>();
        let bits = |count: u32| u64::from(count) * u64::from(log2(count));
        bits(total) - (0..256).map(|byte| bits(count(byte))).sum::<u64>()
    }

    /// Which sequences are looked at depends on what they are, so that one and its repetition are
    /// either both looked at, or neither. They are collected first, without a branch.
    fn is_without_repeats(&mut self, chunk: &[u8]) -> bool {
        let mut count = 0;
        for bytes in chunk.windows(4) {
            let sequence = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            self.sample[count & (SAMPLE_MAX - 1)] = sequence;
            count += usize::from(hash(sequence) >> (32 - HASH_SAMPLE_BITS) == 0);
        }
        self.seen.fill(0);
        let mut repeats = 0;
        for &sequence in &self.sample[..count.min(SAMPLE_MAX)] {
            let seen = &mut self.seen[hash(sequence) as usize & ((1 << TABLE_BITS) - 1)];
            repeats += usize::from(*seen == sequence);
            *seen = sequence;
        }
        repeats <= chunk.len() / BYTES_PER_REPEAT
    }
}

/// All bits depend on all bytes.
#[inline(always)]
fn hash(sequence: u32) -> u32 {
    let product = sequence.wrapping_mul(0x9e37_79b1);
    product ^ product >> 15
}

#[cfg(test)]
mod tests {
    use super::Probe;

    fn noise(count: usize) -> Vec<u8> {
        let next = |state: &mut u32| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some((*state >> 24) as u8)
        };
        (0..count).scan(1_u32, |state, _| next(state)).collect()
    }

    #[test]
    fn noise_is_told_from_order() {
        let mut probe = Probe::new();
        for size in [4096, 5000, 32768, 65536] {
            assert!(probe.is_incompressible(&noise(size)), "{size}");
            let (mut half, mut skewed) = (noise(size), noise(size));
            half.copy_within(..size / 8, size / 2);
            assert!(!probe.is_incompressible(&half), "{size}: an eighth repeats");
            skewed.iter_mut().for_each(|byte| *byte &= 0x7f);
            assert!(!probe.is_incompressible(&skewed), "{size}: seven bits");
            assert!(!probe.is_incompressible(&vec![0; size]), "{size}: zeros");
        }
        assert!(!probe.is_incompressible(&noise(100)), "too small to tell");
    }
}
