//! Attention of one head: two products with a softmax between them.

use super::{Arithmetic, float, narrow, product};
use crate::rounding::to_even;
use crate::{Matrix, ShapeError};

/// The operands of an attention of one head, without a mask: `softmax(q k^T * scale) v`.
#[derive(Clone, PartialEq, Debug)]
pub struct Attention {
    /// Queries, `[s, d]`.
    pub q: Matrix,
    /// Keys, `[t, d]`.
    pub k: Matrix,
    /// Values, `[t, e]`.
    pub v: Matrix,
    /// What the scores are multiplied by; MIL's is `1 / sqrt(d)`.
    pub scale: f32,
}

impl Arithmetic {
    /// The attention `[s, e]`. Error: the shapes do not fit.
    ///
    /// But for [`Arithmetic::FusedFp32`], the scores, the scaled scores, the weights and the result are each rounded to fp16; the softmax
    /// is in fp32 between. How the engine's own attention layer rounds is not known (`facts/where-the-research-ran.md`): this is what a
    /// program of single ops does.
    pub fn attention(self, of: &Attention) -> Result<Matrix, ShapeError> {
        if self == Arithmetic::FusedFp32 {
            return fused(of);
        }
        let scale = to_even(of.scale);
        let scores = self.by_rows(&of.q, &of.k)?.map(|v| to_even(v * scale));
        self.matmul(&softmax(&scores).map(to_even), &of.v)
    }
}

fn fused(of: &Attention) -> Result<Matrix, ShapeError> {
    let scores = Arithmetic::FusedFp32.wide(&of.q, &of.k)?.map(|v| v * of.scale);
    let weights = softmax(&scores);
    let (rows, columns) = (weights.by_row().collect::<Vec<_>>(), of.v.transposed());
    let values = narrow(&columns);
    Ok(product(&weights, &columns, |i, j| float::dot(rows[i], &values[j]))?.map(to_even))
}

/// The softmax of each row, in fp32.
fn softmax(scores: &Matrix) -> Matrix {
    let weights = scores.by_row().flat_map(|row| {
        let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let powers: Vec<f32> = row.iter().map(|v| (v - top).exp()).collect();
        let sum: f32 = powers.iter().sum();
        powers.into_iter().map(move |p| p / sum)
    });
    let mut weights = weights.collect::<Vec<_>>().into_iter();
    scores.clone().map(|_| weights.next().unwrap_or_default())
}
