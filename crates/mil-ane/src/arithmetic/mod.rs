//! The arithmetics that may have made a matrix product, each as a plain function with exact semantics.
//!
//! One program text gives different bits on different units. The Neural Engine adds products cut to multiples of `2^-16`; a GPU and most
//! libraries add in fp32 and round once; a plain CPU path adds in fp16. Which of them made a result is evidence of where it was
//! computed (`facts/where-the-research-ran.md`).

mod attention;
mod engine;
mod float;

pub use attention::Attention;

use crate::{Matrix, ShapeError};
use half::f16;
use std::fmt;

/// An arithmetic of the matrix product.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Arithmetic {
    /// The Neural Engine's: each product is cut to a multiple of `2^-16`, the sum is exact, the store rounds ties away from zero.
    ///
    /// Recovered offline from published errors; reproduces all 22 public matmul fingerprints of M1 to M5 to 13.9 to 16 digits.
    /// Source: `facts/ane-matmul-arithmetic.md` sections 1 and 2. Confidence: high for finite operands and sums below `2^15`, not
    /// confirmed on hardware by us.
    Engine,
    /// Products and sums in fp32, in order; one rounding to fp16 for each op, ties to even. What the `cpu` runtime and GPUs do.
    Fp32,
    /// As [`Arithmetic::Fp32`], but an attention is one op: nothing is rounded to fp16 before its result.
    FusedFp32,
    /// Each product is rounded to fp16, then added in fp16, in order. What a CPU library without wide accumulation does.
    SequentialFp16,
}

impl Arithmetic {
    /// The candidates for a single product. [`Arithmetic::FusedFp32`] is not among them: it is [`Arithmetic::Fp32`] there.
    pub const OF_MATMUL: [Arithmetic; 3] = [Arithmetic::Engine, Arithmetic::Fp32, Arithmetic::SequentialFp16];

    /// The candidates for an attention.
    pub const OF_ATTENTION: [Arithmetic; 4] =
        [Arithmetic::Engine, Arithmetic::Fp32, Arithmetic::FusedFp32, Arithmetic::SequentialFp16];

    /// What the verdicts call it.
    pub fn name(self) -> &'static str {
        match self {
            Arithmetic::Engine => "engine",
            Arithmetic::Fp32 => "fp32",
            Arithmetic::FusedFp32 => "fused fp32",
            Arithmetic::SequentialFp16 => "sequential fp16",
        }
    }

    /// The units known to compute like this; evidence, not proof.
    pub fn whose(self) -> &'static str {
        match self {
            Arithmetic::Engine => "the Neural Engine's matmul, M1 to M5",
            Arithmetic::Fp32 => "a GPU, or a CPU path that accumulates in fp32; Milwright's `cpu` runtime",
            Arithmetic::FusedFp32 => "a fused attention on a GPU or a CPU",
            Arithmetic::SequentialFp16 => "a CPU path that accumulates in fp16",
        }
    }

    /// The inner product of two fp16 vectors; the shorter one counts.
    pub fn dot(self, x: &[f16], w: &[f16]) -> f16 {
        let wide = |v: &[f16]| v.iter().map(|v| v.to_f32()).collect::<Vec<_>>();
        f16::from_f32(match self {
            Arithmetic::Engine => engine::dot(&engine::operands(&wide(x)), &engine::operands(&wide(w))),
            Arithmetic::Fp32 | Arithmetic::FusedFp32 => {
                crate::rounding::to_even(float::dot(&wide(x), &wide(w)))
            }
            Arithmetic::SequentialFp16 => float::sequential(&wide(x), &wide(w)),
        })
    }

    /// `a [m, k] * b [k, n]`, operands rounded to fp16. Error: the inner dimensions differ.
    pub fn matmul(self, a: &Matrix, b: &Matrix) -> Result<Matrix, ShapeError> {
        self.by_rows(a, &b.transposed())
    }

    /// `x [m, k] * w [n, k]^T + bias [n]`, operands rounded to fp16. Error: the shapes do not fit.
    ///
    /// The engine adds the bias to the fp16 sum and rounds again, ties to even (`facts/ane-facts.md` section 4.1: scale and bias in fp16
    /// after the accumulator; confidence: medium, the ties are a guess). The others add it before their one rounding.
    pub fn linear(self, x: &Matrix, w: &Matrix, bias: Option<&[f32]>) -> Result<Matrix, ShapeError> {
        let Some(bias) = bias else { return self.by_rows(x, w) };
        if bias.len() != w.rows() {
            return Err(ShapeError(format!("{} outputs have a bias of {} elements", w.rows(), bias.len())));
        }
        let bias: Vec<f32> = bias.iter().map(|b| crate::rounding::to_even(*b)).collect();
        let sums = match self {
            Arithmetic::Fp32 | Arithmetic::FusedFp32 => self.wide(x, w)?,
            Arithmetic::Engine | Arithmetic::SequentialFp16 => self.by_rows(x, w)?,
        };
        let mut column = bias.iter().cycle();
        Ok(sums.map(|v| crate::rounding::to_even(v + column.next().copied().unwrap_or_default())))
    }

    /// `a [m, k] * b [n, k]^T`, rounded to fp16.
    fn by_rows(self, a: &Matrix, b: &Matrix) -> Result<Matrix, ShapeError> {
        match self {
            Arithmetic::Engine => {
                let prepare = |m: &Matrix| m.by_row().map(engine::operands).collect::<Vec<_>>();
                let (xs, ws) = (prepare(a), prepare(b));
                product(a, b, |i, j| engine::dot(&xs[i], &ws[j]))
            }
            Arithmetic::Fp32 | Arithmetic::FusedFp32 => Ok(self.wide(a, b)?.map(crate::rounding::to_even)),
            Arithmetic::SequentialFp16 => {
                let (xs, ws) = (narrow(a), narrow(b));
                product(a, b, |i, j| float::sequential(&xs[i], &ws[j]))
            }
        }
    }

    /// `a [m, k] * b [n, k]^T` in fp32.
    fn wide(self, a: &Matrix, b: &Matrix) -> Result<Matrix, ShapeError> {
        let (xs, ws) = (narrow(a), narrow(b));
        product(a, b, |i, j| float::dot(&xs[i], &ws[j]))
    }
}

impl fmt::Display for Arithmetic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The rows, rounded to fp16.
fn narrow(m: &Matrix) -> Vec<Vec<f32>> {
    m.by_row().map(|row| row.iter().map(|v| crate::rounding::to_even(*v)).collect()).collect()
}

/// The matrix of `dot(i, j)` for the rows of `a` and of `b`. `dot` is asked only for rows that exist.
fn product(a: &Matrix, b: &Matrix, mut dot: impl FnMut(usize, usize) -> f32) -> Result<Matrix, ShapeError> {
    if a.cols() != b.cols() {
        return Err(ShapeError(format!("the inner dimensions are {} and {}", a.cols(), b.cols())));
    }
    if a.cols() == 0 {
        return Err(ShapeError("the inner dimension is 0".to_owned()));
    }
    let values =
        (0..a.rows()).flat_map(|i| (0..b.rows()).map(move |j| (i, j))).map(|(i, j)| dot(i, j)).collect();
    Matrix::new(a.rows(), b.rows(), values)
}
