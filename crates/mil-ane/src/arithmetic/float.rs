//! Inner products in floating point. Operands are fp16 values held in `f32`.

use crate::rounding::to_even;

/// In fp32, one product after another. A product of two fp16 values is exact in fp32, so that a fused multiply-add gives the same.
pub(super) fn dot(x: &[f32], w: &[f32]) -> f32 {
    x.iter().zip(w).fold(0.0, |sum, (a, b)| sum + a * b)
}

/// In fp16: each product is rounded, and each sum. (The sum of two fp16 values rounded to fp32 and then to fp16 is rounded right: fp32
/// has more than twice the digits.)
pub(super) fn sequential(x: &[f32], w: &[f32]) -> f32 {
    x.iter().zip(w).fold(0.0, |sum, (a, b)| to_even(sum + to_even(a * b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequential_sums_stop_where_fp16_does() {
        let mut x = vec![1.0f32; 1025];
        x[0] = 4096.0;
        assert_eq!(sequential(&x, &[1.0; 1025]), 4096.0);
        assert_eq!(dot(&x, &[1.0; 1025]), 5120.0);
        assert_eq!(sequential(&[1.0; 4096], &[1.0; 4096]), 2048.0);
    }
}
