//! How well each candidate explains a result, and what follows.

use crate::{Arithmetic, Matrix, ShapeError};
use std::fmt;

/// Elements on which a candidate must be alone before bits decide.
const DECIDING: usize = 16;
/// The share of elements that must agree where a few may differ by the order of the sum.
const NEARLY_ALL: f64 = 0.99;
/// The most by which the root mean square error may differ from a candidate's, as a ratio.
const SAME_SIZE: f64 = 1.1;
/// The least by which it must differ from every other candidate's.
const OTHER_SIZE: f64 = 1.5;

/// A result compared with every candidate.
#[derive(Clone, PartialEq, Debug)]
pub struct Fit {
    /// One score a candidate, in the order of [`Arithmetic::OF_ATTENTION`].
    pub scores: Vec<Score>,
    /// The number of elements compared.
    pub elements: usize,
    /// The root mean square difference of the result from exact arithmetic on the operands before they were rounded.
    pub rms_error: f64,
    /// What follows from the scores.
    pub verdict: Verdict,
}

/// How one candidate compares with the result.
#[derive(Clone, PartialEq, Debug)]
pub struct Score {
    /// The candidate.
    pub arithmetic: Arithmetic,
    /// Elements whose value is the same. NaN equals NaN; zeros are equal whatever their sign.
    pub equal: usize,
    /// The largest absolute difference; infinite where one of the two is not finite and they differ.
    pub max_difference: f64,
    /// The root mean square difference of the *candidate* from exact arithmetic, to be compared with [`Fit::rms_error`].
    pub rms_error: f64,
}

/// Which arithmetic made the result.
#[derive(Clone, PartialEq, Debug)]
pub enum Verdict {
    /// One candidate explains the result.
    Fits {
        /// The candidate.
        arithmetic: Arithmetic,
        /// How strongly.
        strength: Strength,
    },
    /// On these operands the result is what each of these gives: they cannot be told apart. Take operands from
    /// [`probe`](super::probe).
    Ambiguous(Vec<Arithmetic>),
    /// No candidate explains the result.
    None,
}

/// How strongly a result speaks for an arithmetic.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Strength {
    /// Only the size of the errors fits: the arithmetic with another order of sums, or something like it.
    Size,
    /// At least 99 of 100 elements are equal; the others may come from another order of sums.
    NearlyAll,
    /// Every element is equal, and so many of them are unequal under every other candidate.
    Exact {
        /// The elements that decide: unequal under the nearest other candidate.
        deciding: usize,
    },
}

impl Verdict {
    /// The arithmetic that fits, if one does.
    pub fn arithmetic(&self) -> Option<Arithmetic> {
        match self {
            Verdict::Fits { arithmetic, .. } => Some(*arithmetic),
            Verdict::Ambiguous(_) | Verdict::None => None,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Fits { arithmetic, strength: Strength::Exact { deciding } } => {
                write!(
                    f,
                    "{arithmetic}: every element is equal, and {deciding} of them under no other candidate"
                )
            }
            Verdict::Fits { arithmetic, strength: Strength::NearlyAll } => {
                write!(f, "{arithmetic}: at least 99 of 100 elements are equal")
            }
            Verdict::Fits { arithmetic, strength: Strength::Size } => {
                write!(f, "like {arithmetic}: the elements differ, the size of the errors is the same")
            }
            Verdict::Ambiguous(of) => {
                let names: Vec<_> = of.iter().map(|a| a.name()).collect();
                write!(f, "cannot be told apart on these operands: {}", names.join(", "))
            }
            Verdict::None => f.write_str("none of the candidates"),
        }
    }
}

/// Compares `observed` with what each candidate gives. Error: another number of elements, or the candidate's own.
pub(super) fn judge(
    candidates: &[Arithmetic],
    observed: &[f32],
    exact: Vec<f64>,
    mut compute: impl FnMut(Arithmetic) -> Result<Matrix, ShapeError>,
) -> Result<Fit, ShapeError> {
    let mut results = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        results.push(compute(*candidate)?);
    }
    if let Some(result) = results.iter().find(|r| r.values().len() != observed.len()) {
        let (wanted, given) = (result.values().len(), observed.len());
        return Err(ShapeError(format!("the result has {wanted} elements, {given} were observed")));
    }
    let score = |(arithmetic, result): (&Arithmetic, &Matrix)| Score {
        arithmetic: *arithmetic,
        equal: pairs(result, observed).filter(|(a, b)| same(*a, *b)).count(),
        max_difference: pairs(result, observed).map(|(a, b)| difference(a, b)).fold(0.0, f64::max),
        rms_error: rms(result.values(), &exact),
    };
    let scores: Vec<Score> = candidates.iter().zip(&results).map(score).collect();
    let rms_error = rms(observed, &exact);
    let verdict = verdict(&scores, observed.len(), rms_error);
    Ok(Fit { scores, elements: observed.len(), rms_error, verdict })
}

fn verdict(scores: &[Score], elements: usize, rms_error: f64) -> Verdict {
    let candidates = |of: &dyn Fn(&Score) -> bool| {
        scores.iter().filter(|s| of(s)).map(|s| s.arithmetic).collect::<Vec<_>>()
    };
    let nearest_other = |than: Arithmetic| {
        scores.iter().filter(|s| s.arithmetic != than).map(|s| s.equal).max().unwrap_or_default()
    };
    let whole = candidates(&|s| s.equal == elements);
    if let [arithmetic] = whole[..] {
        let deciding = elements - nearest_other(arithmetic);
        if deciding >= DECIDING {
            return Verdict::Fits { arithmetic, strength: Strength::Exact { deciding } };
        }
        let close = candidates(&|s| elements - s.equal < DECIDING);
        return Verdict::Ambiguous(close);
    }
    if !whole.is_empty() {
        return Verdict::Ambiguous(whole);
    }
    let most = candidates(&|s| s.equal as f64 >= NEARLY_ALL * elements as f64);
    match most[..] {
        [] => {}
        [arithmetic] => return Verdict::Fits { arithmetic, strength: Strength::NearlyAll },
        _ => return Verdict::Ambiguous(most),
    }
    let apart = |s: &Score| (rms_error / s.rms_error).max(s.rms_error / rms_error);
    let alike = candidates(&|s| apart(s) <= SAME_SIZE);
    let others = candidates(&|s| apart(s) < OTHER_SIZE);
    match alike[..] {
        [] => Verdict::None,
        [arithmetic] if others.len() == 1 => Verdict::Fits { arithmetic, strength: Strength::Size },
        _ => Verdict::Ambiguous(others),
    }
}

fn pairs<'a>(result: &'a Matrix, observed: &'a [f32]) -> impl Iterator<Item = (f32, f32)> {
    result.values().iter().copied().zip(observed.iter().copied())
}

fn same(a: f32, b: f32) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

fn difference(a: f32, b: f32) -> f64 {
    if same(a, b) {
        return 0.0;
    }
    let difference = (f64::from(a) - f64::from(b)).abs();
    if difference.is_nan() { f64::INFINITY } else { difference }
}

fn rms(values: &[f32], exact: &[f64]) -> f64 {
    let sum: f64 = values.iter().zip(exact).map(|(v, e)| (f64::from(*v) - e).powi(2)).sum();
    (sum / values.len().max(1) as f64).sqrt()
}
