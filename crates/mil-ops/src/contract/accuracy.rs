//! How far a runtime may be from the reference.

use mil_base::DType;

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
}

/// Half a unit in the last place of fp16, relative.
const HALF_ULP16: f64 = 1.0 / 2048.0;
/// Half a unit in the last place of fp32, relative.
const HALF_ULP32: f64 = 1.0 / 16_777_216.0;
/// Smallest subnormal of fp16, halved: what rounding costs near zero.
const TINY16: f64 = 1.0 / 33_554_432.0;

impl Accuracy {
    /// The result is a copy, selection or integer: identical.
    pub const EXACT: Accuracy = Accuracy { fp16: Bound::EXACT, fp32: Bound::EXACT };

    /// One correctly rounded operation.
    pub const ROUNDED: Accuracy = Accuracy::ulps(1.0);

    /// Within this many half-units in the last place of the element, in either dtype (fp16 results are computed in
    /// fp32 and rounded once, so one and a little is usual there).
    pub const fn ulps(n: f64) -> Accuracy {
        Accuracy {
            fp16: Bound { abs: TINY16, rel: HALF_ULP16 * 1.01, scale: 0.0 },
            fp32: Bound { abs: 1e-44, rel: HALF_ULP32 * n, scale: 0.0 },
        }
    }

    /// Within `abs` in fp32, besides `n` half-units in the last place: for results near zero of larger intermediate values.
    pub const fn absolute(abs: f64, n: f64) -> Accuracy {
        Accuracy {
            fp16: Bound { abs: TINY16 + abs, rel: HALF_ULP16 * 1.01, scale: 0.0 },
            fp32: Bound { abs, rel: HALF_ULP32 * n, scale: 0.0 },
        }
    }

    /// A sum: `fp32` relative to the largest output for fp32, one rounding more for fp16.
    pub const fn sum(fp32: f64) -> Accuracy {
        Accuracy {
            fp16: Bound { abs: TINY16, rel: HALF_ULP16 * 1.01, scale: fp32 },
            fp32: Bound { abs: 1e-44, rel: HALF_ULP32, scale: fp32 },
        }
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
