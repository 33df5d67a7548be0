//! Rounding to fp16.

use half::f16;

/// The nearest fp16, ties to even, held in `f32`: how CPUs and GPUs store a result.
pub(crate) fn to_even(value: f32) -> f32 {
    f16::from_f32(value).to_f32()
}

/// `n * 2^-16` rounded to fp16, ties away from zero. Exact below 11 bits: fp16 reaches down to `2^-24`.
pub(crate) fn fixed_half_away(n: i64) -> f32 {
    let size = n.unsigned_abs();
    let bits = 64 - size.leading_zeros();
    let kept = match bits.checked_sub(11) {
        None | Some(0) => size,
        Some(shift) => ((size >> (shift - 1)).saturating_add(1) >> 1) << shift,
    };
    let value = kept as f64 * 2f64.powi(-16);
    (if n < 0 { -value } else { value }) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_away_from_zero() {
        let n = |v: f64| (v * 65536.0) as i64;
        assert_eq!(fixed_half_away(n(2049.0)), 2050.0);
        assert_eq!(fixed_half_away(n(-2049.0)), -2050.0);
        assert_eq!(fixed_half_away(n(2048.9)), 2048.0);
        assert_eq!(fixed_half_away(n(32759.99)), 32752.0);
        assert_eq!(fixed_half_away(n(32760.0)), 32768.0);
        assert_eq!(fixed_half_away(1), 2f32.powi(-16));
        assert_eq!(fixed_half_away(0), 0.0);
    }

    #[test]
    fn away_from_ties_it_is_the_usual_rounding() {
        for n in (0..4_000_000i64).step_by(37) {
            let exact = n as f32 / 65536.0;
            let (near, away) = (to_even(exact), fixed_half_away(n));
            assert!(near == away || (exact - near).abs() == (away - exact).abs(), "{n}");
        }
    }
}
