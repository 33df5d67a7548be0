//! What a published figure says: the largest difference of a result from a float reference, where neither operands nor bits are known.
//!
//! Each candidate is computed on random operands of the same shapes and spans, several times. A figure outside all that a
//! candidate gives speaks against it.

use super::{exact, probe::uniform};
use crate::{Arithmetic, Attention, Confidence, Matrix, ShapeError};

/// The program and its operands, each element uniform between `-span` and `span`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Case {
    /// `a [m, k] * b [k, n]`.
    Matmul {
        /// Rows of the result.
        m: usize,
        /// Length of the sums.
        k: usize,
        /// Columns of the result.
        n: usize,
        /// Spans of `a` and of `b`.
        spans: [f32; 2],
    },
    /// `x [m, k] * w [n, k]^T + bias [n]`.
    Linear {
        /// Rows of the result.
        m: usize,
        /// Length of the sums.
        k: usize,
        /// Columns of the result.
        n: usize,
        /// Spans of `x`, `w` and the bias.
        spans: [f32; 3],
    },
    /// `a [k, m]^T * a`: a weight gradient as the research formed it.
    Gram {
        /// Rows and columns of the result.
        m: usize,
        /// Length of the sums.
        k: usize,
        /// Span of `a`.
        span: f32,
    },
    /// An attention of one head; queries, keys and values `[s, d]`, scale `1 / sqrt(d)`.
    Attention {
        /// Positions.
        s: usize,
        /// Lanes.
        d: usize,
        /// Span of all three.
        span: f32,
    },
}

/// A figure as published.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Figure {
    /// The experiment, `Z1 dX`.
    pub name: &'static str,
    /// The program.
    pub case: Case,
    /// The largest difference: as measured, and as rounded in the research's text where that differs.
    pub figures: &'static [f64],
    /// What the figures speak for, by our own analysis.
    pub speaks_for: Arithmetic,
    /// How sure that is.
    pub confidence: Confidence,
}

/// The research's matmul experiments that state a largest difference. Source of figures: `facts/ane-facts.md` section 2 (SEED, one M4
/// Max); of spans and reading: `facts/where-the-research-ran.md`. The span of Y2's bias
/// is ours: the one with which that page's table comes out.
pub static RESEARCH: &[Figure] = &[
    Figure {
        name: "Y1",
        case: Case::Attention { s: 256, d: 64, span: 0.5 },
        figures: &[2.1e-5, 2.7e-5],
        speaks_for: Arithmetic::FusedFp32,
        confidence: Confidence::High,
    },
    Figure {
        name: "Y2",
        case: Case::Linear { m: 256, k: 64, n: 64, spans: [0.5, 0.1, 0.01] },
        figures: &[1.11e-3, 1.66e-3],
        speaks_for: Arithmetic::SequentialFp16,
        confidence: Confidence::High,
    },
    Figure {
        name: "Z1 dX",
        case: Case::Matmul { m: 128, k: 64, n: 64, spans: [0.3, 0.3] },
        figures: &[1.94e-3],
        speaks_for: Arithmetic::SequentialFp16,
        confidence: Confidence::High,
    },
    Figure {
        name: "Z1 dW",
        case: Case::Gram { m: 64, k: 128, span: 0.3 },
        figures: &[1.28e-2],
        speaks_for: Arithmetic::SequentialFp16,
        confidence: Confidence::High,
    },
];

/// The largest differences that one candidate gives over several draws.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Range {
    /// The candidate.
    pub arithmetic: Arithmetic,
    /// The smallest of the largest differences.
    pub min: f64,
    /// Their mean.
    pub mean: f64,
    /// The largest.
    pub max: f64,
}

impl Range {
    /// Whether the figure lies in the range, widened by a quarter on both sides: a few draws do not show the tails.
    pub fn contains(&self, figure: f64) -> bool {
        (self.min / 1.25..=self.max * 1.25).contains(&figure)
    }
}

/// The candidates whose ranges contain a figure.
pub fn containing(ranges: &[Range], figure: f64) -> Vec<Arithmetic> {
    ranges.iter().filter(|r| r.contains(figure)).map(|r| r.arithmetic).collect()
}

/// What each candidate gives on `draws` random operands; the same for the same seed. Error: the shapes are absurd, or `draws` is 0.
pub fn ranges(case: &Case, draws: usize, seed: u64) -> Result<Vec<Range>, ShapeError> {
    if draws == 0 {
        return Err(ShapeError("a range needs at least one draw".to_owned()));
    }
    let candidates: &[Arithmetic] = match case {
        Case::Attention { .. } => &Arithmetic::OF_ATTENTION,
        _ => &Arithmetic::OF_MATMUL,
    };
    let mut random = fastrand::Rng::with_seed(seed);
    let mut ranges: Vec<Range> = Vec::new();
    for draw in 1..=draws {
        let operands = operands(case, &mut random)?;
        let reference = operands.exact()?;
        for (index, by) in candidates.iter().enumerate() {
            let worst = largest(&operands.compute(*by)?, &reference);
            match ranges.get_mut(index) {
                None => ranges.push(Range { arithmetic: *by, min: worst, mean: worst, max: worst }),
                Some(range) => {
                    range.min = range.min.min(worst);
                    range.max = range.max.max(worst);
                    range.mean += (worst - range.mean) / draw as f64;
                }
            }
        }
    }
    Ok(ranges)
}

enum Operands {
    Product(Matrix, Matrix),
    Linear(Matrix, Matrix, Matrix),
    Attention(Attention),
}

fn operands(case: &Case, random: &mut fastrand::Rng) -> Result<Operands, ShapeError> {
    Ok(match *case {
        Case::Matmul { m, k, n, spans: [a, b] } => {
            Operands::Product(uniform(random, m, k, a)?, uniform(random, k, n, b)?)
        }
        Case::Linear { m, k, n, spans: [x, w, bias] } => Operands::Linear(
            uniform(random, m, k, x)?,
            uniform(random, n, k, w)?,
            uniform(random, 1, n, bias)?,
        ),
        Case::Gram { m, k, span } => {
            let a = uniform(random, k, m, span)?;
            Operands::Product(a.transposed(), a)
        }
        Case::Attention { s, d, span } => {
            let mut draw = || uniform(random, s, d, span);
            let scale = 1.0 / (d.max(1) as f32).sqrt();
            Operands::Attention(Attention { q: draw()?, k: draw()?, v: draw()?, scale })
        }
    })
}

impl Operands {
    fn exact(&self) -> Result<Vec<f64>, ShapeError> {
        match self {
            Operands::Product(a, b) => exact::matmul(a, b),
            Operands::Linear(x, w, bias) => exact::linear(x, w, Some(bias.values())),
            Operands::Attention(of) => exact::attention(of),
        }
    }

    fn compute(&self, by: Arithmetic) -> Result<Matrix, ShapeError> {
        match self {
            Operands::Product(a, b) => by.matmul(a, b),
            Operands::Linear(x, w, bias) => by.linear(x, w, Some(bias.values())),
            Operands::Attention(of) => by.attention(of),
        }
    }
}

fn largest(result: &Matrix, exact: &[f64]) -> f64 {
    result.values().iter().zip(exact).map(|(r, e)| (f64::from(*r) - e).abs()).fold(0.0, f64::max)
}
