//! Operands on which the candidates differ nearly everywhere: a placement probe.
//!
//! The elements are random and small. Products near `2^-13` keep but three or four bits on the engine's grid of `2^-16`, while fp32 keeps
//! them all; and sums of hundreds of them are rounded hundreds of times in fp16.

use crate::{Attention, Matrix, ShapeError};

/// Operands `[m, k]` and `[k, n]` of a product; the same for the same seed. From `k = 64` on most elements decide.
///
/// Error: the shapes overflow.
pub fn matmul(m: usize, k: usize, n: usize, seed: u64) -> Result<(Matrix, Matrix), ShapeError> {
    let mut random = fastrand::Rng::with_seed(seed);
    Ok((uniform(&mut random, m, k, 1.0 / 64.0)?, uniform(&mut random, k, n, 1.0 / 64.0)?))
}

/// Operands of an attention of `s` positions and `d` lanes; the same for the same seed.
///
/// Scores spread over several units, so that rounding them to fp16 moves the weights; values are small, so that the engine's grid shows. Error: the shapes overflow.
pub fn attention(s: usize, d: usize, seed: u64) -> Result<Attention, ShapeError> {
    let mut random = fastrand::Rng::with_seed(seed);
    let scale = 1.0 / (d.max(1) as f32).sqrt();
    Ok(Attention {
        q: uniform(&mut random, s, d, 3.0)?,
        k: uniform(&mut random, s, d, 3.0)?,
        v: uniform(&mut random, s, d, 1.0 / 16.0)?,
        scale,
    })
}

/// A matrix of values uniform between `-span` and `span`.
pub(super) fn uniform(
    random: &mut fastrand::Rng,
    rows: usize,
    cols: usize,
    span: f32,
) -> Result<Matrix, ShapeError> {
    let count = rows.checked_mul(cols).filter(|n| *n <= MOST);
    let count = count.ok_or_else(|| ShapeError(format!("{rows} x {cols} elements are too many")))?;
    Matrix::new(rows, cols, (0..count).map(|_| (random.f32() * 2.0 - 1.0) * span).collect())
}

/// The most elements of a generated operand.
const MOST: usize = 1 << 28;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Arithmetic;
    use crate::fingerprint::{self, Strength, Verdict};

    #[test]
    fn each_candidate_is_recognised_by_its_own_product() {
        let (a, b) = matmul(16, 256, 16, 7).unwrap();
        for by in Arithmetic::OF_MATMUL {
            let observed = by.matmul(&a, &b).unwrap();
            let fit = fingerprint::matmul(&a, &b, observed.values()).unwrap();
            let Verdict::Fits { arithmetic, strength: Strength::Exact { deciding } } = fit.verdict else {
                panic!("{by}: {fit:?}")
            };
            assert_eq!(arithmetic, by);
            assert!(deciding * 10 >= fit.elements * 7, "{by}: only {deciding} of {} decide", fit.elements);
        }
    }

    #[test]
    fn each_candidate_is_recognised_by_its_own_attention() {
        let of = attention(48, 64, 7).unwrap();
        for by in Arithmetic::OF_ATTENTION {
            let fit = fingerprint::attention(&of, by.attention(&of).unwrap().values()).unwrap();
            let Verdict::Fits { arithmetic, strength: Strength::Exact { deciding } } = fit.verdict else {
                panic!("{by}: {fit:?}")
            };
            assert_eq!(arithmetic, by);
            assert!(deciding * 2 >= fit.elements, "{by}: only {deciding} of {} decide", fit.elements);
        }
    }

    #[test]
    fn another_order_of_sums_is_still_recognised() {
        let (a, b) = matmul(24, 512, 24, 3).unwrap();
        let halves = |m: &Matrix| {
            let (mut v, k) = (m.values().to_vec(), m.cols());
            v.chunks_exact_mut(k).for_each(|row| row.reverse());
            Matrix::new(m.rows(), k, v).unwrap()
        };
        for by in Arithmetic::OF_MATMUL {
            let observed = by.matmul(&halves(&a), &halves(&b.transposed()).transposed()).unwrap();
            let fit = fingerprint::matmul(&a, &b, observed.values()).unwrap();
            assert_eq!(fit.verdict.arithmetic(), Some(by), "{fit:?}");
        }
    }

    #[test]
    fn integers_decide_nothing_and_noise_fits_nothing() {
        let ones = Matrix::new(4, 8, vec![1.0; 32]).unwrap();
        let fit = fingerprint::matmul(&ones, &ones.transposed(), &[8.0; 16]).unwrap();
        assert_eq!(fit.verdict, Verdict::Ambiguous(Arithmetic::OF_MATMUL.to_vec()));
        let (a, b) = matmul(8, 64, 8, 1).unwrap();
        assert_eq!(fingerprint::matmul(&a, &b, &[0.25; 64]).unwrap().verdict, Verdict::None);
        assert_eq!(fingerprint::matmul(&a, &b, &[f32::NAN; 64]).unwrap().verdict, Verdict::None);
        assert!(fingerprint::matmul(&a, &b, &[0.0; 63]).is_err());
        assert!(fingerprint::matmul(&a, &a, &[0.0; 64]).is_err());
        assert!(matmul(usize::MAX, 2, 2, 0).is_err());
    }
}
