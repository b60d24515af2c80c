//! Binary logarithms in fixed point, without a float: what a symbol costs.

/// Fraction bits of what [`log2`] returns.
pub(super) const FRACTION_BITS: u32 = 8;
/// Leading bits of a number that the table tells apart.
const INDEX_BITS: u32 = 9;

/// By the leading bits of a number: the logarithm's fraction.
static FRACTIONS: [u16; 1 << INDEX_BITS] = fractions();

/// The logarithm of a positive number, rounded down; 0 of 0.
#[inline(always)]
pub(super) const fn log2(number: u32) -> u32 {
    let number = if number == 0 { 1 } else { number };
    let order = number.ilog2();
    let leading = (number << (31 - order) >> (31 - INDEX_BITS)) as usize & ((1 << INDEX_BITS) - 1);
    (order << FRACTION_BITS) + FRACTIONS[leading] as u32
}

const fn fractions() -> [u16; 1 << INDEX_BITS] {
    let mut table = [0; 1 << INDEX_BITS];
    let mut index = 0;
    while index < table.len() {
        table[index] = fraction(((1 << INDEX_BITS) + index as u64) << (31 - INDEX_BITS));
        index += 1;
    }
    table
}

/// The logarithm of a mantissa from 1 to 2 with 31 fraction bits, by squaring: each squaring
/// doubles the logarithm, whose integer part is the next bit.
const fn fraction(mut mantissa: u64) -> u16 {
    let mut bits = 0;
    let mut left = FRACTION_BITS;
    while left > 0 {
        mantissa = (mantissa * mantissa) >> 31;
        let carry = mantissa >> 32;
        mantissa >>= carry;
        bits = bits << 1 | carry as u16;
        left -= 1;
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::{FRACTION_BITS, log2};

    #[test]
    fn logarithms_are_within_one_step() {
        let exact = |number: u32| f64::from(number).log2() * f64::from(1 << FRACTION_BITS);
        for number in (1..70_000).chain([1 << 31, u32::MAX]) {
            let difference = exact(number) - f64::from(log2(number));
            assert!((-0.01..1.8).contains(&difference), "{number}: {difference}");
        }
        assert_eq!(log2(0), 0);
        assert_eq!(log2(1 << 20), 20 << FRACTION_BITS);
    }
}
