//! How far a runtime may be from the reference.

use mil_base::DType;
use std::fmt;

/// The largest difference allowed: `abs + rel * |want| + scale * largest |want| of the tensor`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bound {
    /// Absolute part.
    pub abs: f64,
    /// Part relative to the element.
    pub rel: f64,
    /// Part relative to the largest magnitude in the output tensor: for sums, whose error does not shrink with them.
    pub scale: f64,
}

impl Bound {
    /// No difference at all.
    pub const EXACT: Bound = Bound { abs: 0.0, rel: 0.0, scale: 0.0 };

    /// The allowance for an element `want` of a tensor whose largest magnitude is `largest`.
    pub fn allows(&self, want: f64, largest: f64) -> f64 {
        let part = |factor: f64, of: f64| if factor == 0.0 { 0.0 } else { factor * of.abs() };
        self.abs + part(self.rel, want) + part(self.scale, largest)
    }
}

/// The stated accuracy of an op's CPU kernel against its reference, by the dtype of the output. Integers, bools and
/// strings are always exact.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Accuracy {
    /// For fp16 (and bf16) outputs.
    pub fp16: Bound,
    /// For fp32 outputs.
    pub fp32: Bound,
    /// The terms of a sum may cancel, so that no kernel that rounds them comes near the result. An element may then be
    /// off by [`Accuracy::MOVED`] times as much more as it moves when the last digits of the inputs do.
    pub cancels: bool,
}

/// Half a unit in the last place of fp16, relative.
const HALF_ULP16: f64 = 1.0 / 2048.0;
/// Half a unit in the last place of fp32, relative.
const HALF_ULP32: f64 = 1.0 / 16_777_216.0;
/// Smallest subnormal of fp16, halved: what rounding costs near zero.
const TINY16: f64 = 1.0 / 33_554_432.0;

impl Accuracy {
    /// How much of what the last digits of the inputs move is excused where terms cancel. The roundings of the partial
    /// sums of 2,000 terms were measured to do 7.6 times as much (`conv`, `tests/accuracy.json`).
    pub const MOVED: f64 = 10.0;
    /// The last digit of fp32, in which fp16 ops compute too: a unit in the last place, relative.
    pub const LAST_DIGIT: f64 = 2.0 * HALF_ULP32;

    /// The result is a copy, selection or integer: identical.
    pub const EXACT: Accuracy = Accuracy { fp16: Bound::EXACT, fp32: Bound::EXACT, cancels: false };

    /// One correctly rounded operation.
    pub const ROUNDED: Accuracy = Accuracy::ulps(1.0);

    /// Within this many half-units in the last place of the element, in either dtype (fp16 results are computed in
    /// fp32 and rounded once, so one and a little is usual there).
    pub const fn ulps(n: f64) -> Accuracy {
        Accuracy {
            fp16: Bound { abs: TINY16, rel: HALF_ULP16 * 1.01, scale: 0.0 },
            fp32: Bound { abs: 1e-44, rel: HALF_ULP32 * n, scale: 0.0 },
            cancels: false,
        }
    }

    /// Within `abs` in fp32, besides `n` half-units in the last place: for results near zero of larger intermediate values.
    pub const fn absolute(abs: f64, n: f64) -> Accuracy {
        Accuracy {
            fp16: Bound { abs: TINY16 + abs, rel: HALF_ULP16 * 1.01, scale: 0.0 },
            fp32: Bound { abs, rel: HALF_ULP32 * n, scale: 0.0 },
            cancels: false,
        }
    }

    /// The same and `abs` beside it, for what is computed from larger values than the result.
    pub const fn beside(self, abs: f64) -> Accuracy {
        let Accuracy { mut fp16, mut fp32, cancels } = self;
        fp16.abs += abs;
        fp32.abs += abs;
        Accuracy { fp16, fp32, cancels }
    }

    /// Within `fp32` relative to the largest output, and a rounding of the element.
    pub const fn of_largest(fp32: f64) -> Accuracy {
        let cancels = false;
        Accuracy { cancels, ..Accuracy::sum(fp32) }
    }

    /// A sum, whose terms may cancel: `fp32` relative to the largest output for fp32, one rounding more for fp16.
    pub const fn sum(fp32: f64) -> Accuracy {
        Accuracy {
            fp16: Bound { abs: TINY16, rel: HALF_ULP16 * 1.01, scale: fp32 },
            fp32: Bound { abs: 1e-44, rel: HALF_ULP32, scale: fp32 },
            cancels: true,
        }
    }

    /// The same where terms may cancel.
    pub const fn cancelling(self) -> Accuracy {
        Accuracy { cancels: true, ..self }
    }

    /// The bound for outputs of `dtype`.
    pub fn bound(&self, dtype: DType) -> Bound {
        match dtype {
            DType::Fp16 | DType::Bf16 => self.fp16,
            DType::Fp32 | DType::Fp64 => self.fp32,
            _ => Bound::EXACT,
        }
    }
}

/// In half-units in the last place of an element (`hu`), parts of the tensor's largest value (`of max`) and absolute:
/// `fp16 1 hu; fp32 4 hu + 2e-7`. What is subnormal anyway is left out.
impl fmt::Display for Accuracy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fp16 = words(self.fp16, HALF_ULP16, 3e-8);
        let fp32 = words(self.fp32, HALF_ULP32, 2.0 * f64::from(f32::MIN_POSITIVE));
        match fp16 == fp32 {
            true => write!(f, "{fp16}")?,
            false => write!(f, "fp16 {fp16}; fp32 {fp32}")?,
        }
        if self.cancels { write!(f, "; may cancel") } else { Ok(()) }
    }
}

fn words(bound: Bound, half_ulp: f64, tiny: f64) -> String {
    if bound == Bound::EXACT {
        return "exact".to_owned();
    }
    let mut parts = Vec::new();
    let rounded = (bound.rel / half_ulp * 10.0).round() / 10.0;
    if rounded > 0.0 {
        parts.push(format!("{rounded} hu"));
    }
    if bound.scale > 0.0 {
        parts.push(format!("{:e} of max", bound.scale));
    }
    if bound.abs > tiny {
        parts.push(format!("{:.0e}", bound.abs));
    }
    parts.join(" + ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_read_by_people() {
        let text = |accuracy: Accuracy| accuracy.to_string();
        assert_eq!(text(Accuracy::EXACT), "exact");
        assert_eq!(text(Accuracy::ROUNDED), "1 hu");
        assert_eq!(text(Accuracy::ulps(4.0)), "fp16 1 hu; fp32 4 hu");
        assert_eq!(text(Accuracy::sum(2e-6)), "1 hu + 2e-6 of max; may cancel");
        assert_eq!(text(Accuracy::of_largest(2e-6).beside(1e-7)), "1 hu + 2e-6 of max + 1e-7");
    }
}
