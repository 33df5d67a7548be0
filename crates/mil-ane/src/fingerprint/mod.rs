//! Which arithmetic made a result: evidence of the unit that computed it.
//!
//! With the operands and the bits at hand, [`matmul`], [`linear`] and [`attention`] compute each candidate and count equal elements.
//! Where only a largest difference was published, [`published`] says which candidates reach it on random operands of the same kind.
//! [`probe`] makes operands on which the candidates differ nearly everywhere.
//!
//! A fit says what was computed, not where: an emulator or another unit with the same arithmetic fits as well. A result may
//! be called the Neural Engine's only where the runtime enforces it (`facts/where-the-research-ran.md`).

mod fit;
pub mod probe;
pub mod published;

pub use fit::{Fit, Score, Strength, Verdict};

use crate::{Arithmetic, Attention, Matrix, ShapeError};

/// Judges the observed elements of `a [m, k] * b [k, n]`. Error: the shapes do not fit.
///
/// ```
/// use mil_ane::{Arithmetic, fingerprint};
///
/// let (a, b) = fingerprint::probe::matmul(8, 256, 8, 1).unwrap();
/// let observed = Arithmetic::SequentialFp16.matmul(&a, &b).unwrap();
/// let fit = fingerprint::matmul(&a, &b, observed.values()).unwrap();
/// assert_eq!(fit.verdict.arithmetic(), Some(Arithmetic::SequentialFp16));
/// ```
pub fn matmul(a: &Matrix, b: &Matrix, observed: &[f32]) -> Result<Fit, ShapeError> {
    fit::judge(&Arithmetic::OF_MATMUL, observed, exact::matmul(a, b)?, |by| by.matmul(a, b))
}

/// Judges the observed elements of `x [m, k] * w [n, k]^T + bias [n]`. Error: the shapes do not fit.
pub fn linear(x: &Matrix, w: &Matrix, bias: Option<&[f32]>, observed: &[f32]) -> Result<Fit, ShapeError> {
    fit::judge(&Arithmetic::OF_MATMUL, observed, exact::linear(x, w, bias)?, |by| by.linear(x, w, bias))
}

/// Judges the observed elements of an attention of one head. Error: the shapes do not fit.
pub fn attention(of: &Attention, observed: &[f32]) -> Result<Fit, ShapeError> {
    fit::judge(&Arithmetic::OF_ATTENTION, observed, exact::attention(of)?, |by| by.attention(of))
}

/// The same in f64, from operands that are not rounded: what a difference is measured from.
mod exact {
    use crate::{Attention, Matrix, ShapeError};

    pub(super) fn matmul(a: &Matrix, b: &Matrix) -> Result<Vec<f64>, ShapeError> {
        linear(a, &b.transposed(), None)
    }

    pub(super) fn linear(x: &Matrix, w: &Matrix, bias: Option<&[f32]>) -> Result<Vec<f64>, ShapeError> {
        if x.cols() != w.cols() {
            return Err(ShapeError(format!("the inner dimensions are {} and {}", x.cols(), w.cols())));
        }
        let dot =
            |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        let bias = |j: usize| f64::from(bias.and_then(|b| b.get(j)).copied().unwrap_or_default());
        Ok(x.by_row().flat_map(|a| w.by_row().enumerate().map(move |(j, b)| dot(a, b) + bias(j))).collect())
    }

    pub(super) fn attention(of: &Attention) -> Result<Vec<f64>, ShapeError> {
        let scores = linear(&of.q, &of.k, None)?;
        let (keys, outs) = (of.k.rows().max(1), of.v.cols());
        let mut values = Vec::with_capacity(of.q.rows().saturating_mul(outs));
        for row in scores.chunks_exact(keys) {
            let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max) * f64::from(of.scale);
            let powers: Vec<f64> = row.iter().map(|s| (s * f64::from(of.scale) - top).exp()).collect();
            let sum: f64 = powers.iter().sum();
            let mut out = vec![0.0; outs];
            for (power, v) in powers.iter().zip(of.v.by_row()) {
                out.iter_mut().zip(v).for_each(|(out, v)| *out += power / sum * f64::from(*v));
            }
            values.extend(out);
        }
        Ok(values)
    }
}
