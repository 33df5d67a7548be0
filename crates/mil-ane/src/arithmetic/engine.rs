//! The Neural Engine's inner product.
//!
//! The rule is that of `facts/ane-matmul-arithmetic.md` section 1, recovered offline: quantum, flush, both tie rules and the part that
//! subnormals take are each fixed by a published fingerprint (section 3). Not fixed by any: what happens at and past `2^15` inside
//! the sum, and operands that are not finite.

use crate::rounding::{fixed_half_away, to_even};

/// An fp16 operand: its value, and the exponent it is encoded with.
#[derive(Clone, Copy)]
pub(super) struct Operand {
    value: f32,
    exponent: i32,
}

/// Below this sum of the encoded exponents a product is lost, whatever its significands.
const LOST_BELOW: i32 = -16;

/// The sum, in units of `2^-16`, at which the result is infinite: `2^15`. (Confidence: high for the result, six machines; that
/// an overflow inside the sum sticks: medium.)
const CEILING: i64 = 1 << 31;

/// The operands, rounded to fp16.
pub(super) fn operands(values: &[f32]) -> Vec<Operand> {
    let operand = |v: &f32| {
        let value = to_even(*v);
        let field = i32::from((half::f16::from_f32(value).to_bits() >> 10) & 31);
        Operand { value, exponent: field.max(1) - 15 }
    };
    values.iter().map(operand).collect()
}

/// The inner product, an fp16 value.
///
/// Where an operand is not finite the published readings of a neighbouring path are followed (`facts/ane-facts.md` section 4.1; one
/// machine, low confidence here): NaN counts as +infinity, and the indeterminate forms are +0.
pub(super) fn dot(x: &[Operand], w: &[Operand]) -> f32 {
    let mut sum = 0i64;
    let mut infinity = 0.0f32;
    for (a, b) in x.iter().zip(w) {
        if a.exponent + b.exponent < LOST_BELOW {
            continue;
        }
        if a.exponent > 15 || b.exponent > 15 {
            infinity += infinite(a.value, b.value);
            continue;
        }
        // The product of two fp16 values is exact in f64, and so are its multiple and the half.
        let scaled = f64::from(a.value) * f64::from(b.value) * 65536.0;
        let size = (scaled.abs() + 0.5) as i64;
        sum += if scaled < 0.0 { -size } else { size };
        if sum.abs() >= CEILING {
            return if sum < 0 { f32::NEG_INFINITY } else { f32::INFINITY };
        }
    }
    if infinity != 0.0 {
        return if infinity.is_nan() { 0.0 } else { infinity };
    }
    let result = fixed_half_away(sum);
    if result.abs() >= 32768.0 { result * f32::INFINITY } else { result }
}

/// The product where a factor is not finite.
fn infinite(a: f32, b: f32) -> f32 {
    let seen = |v: f32| if v.is_nan() { f32::INFINITY } else { v };
    let product = seen(a) * seen(b);
    if product.is_nan() { 0.0 } else { product }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(x: &[f32], w: &[f32]) -> f32 {
        dot(&operands(x), &operands(w))
    }

    #[test]
    fn a_product_is_cut_to_a_multiple_of_the_quantum() {
        let quantum = 2f32.powi(-16);
        assert_eq!(of(&[2f32.powi(-8)], &[2f32.powi(-8)]), quantum);
        assert_eq!(of(&[1.5 * 2f32.powi(-8)], &[2f32.powi(-8)]), 2.0 * quantum);
        assert_eq!(of(&[-1.5 * 2f32.powi(-8)], &[2f32.powi(-8)]), -2.0 * quantum);
    }

    #[test]
    fn a_product_is_lost_by_its_exponents_not_by_its_value() {
        let nearly = 1.99 * 2f32.powi(-8);
        assert_eq!(of(&[nearly], &[1.99 * 2f32.powi(-9)]), 0.0);
        assert_eq!(of(&[2f32.powi(-15)], &[1.0]), 2f32.powi(-15), "a subnormal counts as 2^-14");
        assert_eq!(of(&[2f32.powi(-15)], &[0.25]), 0.5 * 2f32.powi(-16) * 2.0, "and takes part");
        assert_eq!(of(&[2f32.powi(-15)], &[0.125]), 0.0);
    }

    #[test]
    fn sums_are_exact_and_order_does_not_matter() {
        assert_eq!(of(&[1.0; 16384], &[1.0; 16384]), 16384.0);
        let mut x = vec![1.0f32; 1025];
        x[0] = 4096.0;
        assert_eq!(of(&x, &[1.0; 1025]), 5120.0);
        x.reverse();
        assert_eq!(of(&x, &[1.0; 1025]), 5120.0);
        let m = [20000.0, -20000.0, 1.0].repeat(16);
        assert_eq!(of(&m, &[1.0; 48]), 16.0, "the rule's, not the reduction unit's 4");
    }

    #[test]
    fn the_cliff_is_at_32760() {
        assert_eq!(of(&[32752.0, 7.0], &[1.0, 1.0]), 32752.0);
        assert_eq!(of(&[32752.0, 8.0], &[1.0, 1.0]), f32::INFINITY);
        assert_eq!(of(&[-32752.0, -8.0], &[1.0, 1.0]), f32::NEG_INFINITY);
        assert_eq!(of(&[256.0, 256.0, -256.0], &[128.0; 3]), f32::INFINITY, "an overflow inside sticks");
    }

    #[test]
    fn what_is_not_finite_never_becomes_nan() {
        assert_eq!(of(&[f32::NAN], &[1.0]), f32::INFINITY);
        assert_eq!(of(&[f32::INFINITY], &[0.0]), 0.0);
        assert_eq!(of(&[f32::INFINITY, f32::INFINITY], &[1.0, -1.0]), 0.0);
    }
}
