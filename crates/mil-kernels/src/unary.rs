//! Elementwise functions of one tensor.
//!
//! Floats run in place on `f32` blocks ([`unary_f32`]); fp16 is expanded into a block on the stack and rounded back.
//! The same in-place form is what a GEMM epilogue applies to a finished tile.

use crate::epilogue::Then;
use crate::float::Float;
use crate::math;
use crate::pool::Pool;
use crate::simd::simd;
use crate::view::SharedMut;

/// A function of one float; scalars are the op's constant arguments, already in `f32`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unary {
    /// |x|
    Abs,
    /// arc cosine
    Acos,
    /// inverse hyperbolic cosine
    Acosh,
    /// arc sine
    Asin,
    /// inverse hyperbolic sine
    Asinh,
    /// arc tangent
    Atan,
    /// inverse hyperbolic tangent
    Atanh,
    /// upwards to an integer
    Ceil,
    /// min(x, hi), or min(a x, hi) below zero
    ClampedRelu {
        /// Factor below zero.
        a: f32,
        /// Upper bound.
        hi: f32,
    },
    /// min(max(x, lo), hi)
    Clip {
        /// Lower bound.
        lo: f32,
        /// Upper bound.
        hi: f32,
    },
    /// cosine
    Cos,
    /// hyperbolic cosine
    Cosh,
    /// x, or a(e^x - 1) below zero
    Elu(f32),
    /// error function
    Erf,
    /// e^x
    Exp,
    /// 2^x
    Exp2,
    /// downwards to an integer
    Floor,
    /// x Φ(x)
    Gelu,
    /// GELU by tanh
    GeluTanh,
    /// x sigmoid(1.702 x)
    GeluSigmoid,
    /// 1 / (x + eps)
    Inverse {
        /// Added to x.
        eps: f32,
    },
    /// x, or a x below zero
    LeakyRelu(f32),
    /// ln(x + eps)
    Log {
        /// Added to x.
        eps: f32,
    },
    /// a x + b
    Linear {
        /// Factor.
        a: f32,
        /// Offset.
        b: f32,
    },
    /// x a
    Mul(f32),
    /// x + a
    Add(f32),
    /// a - x
    RSub(f32),
    /// a / x
    RDiv(f32),
    /// x / a
    Div(f32),
    /// x^a
    Pow(f32),
    /// max(x, a)
    Max(f32),
    /// min(x, a)
    Min(f32),
    /// max(x, 0)
    Relu,
    /// min(max(x, 0), 6)
    Relu6,
    /// to the nearest integer, halves to even
    Round,
    /// 1 / sqrt(x + eps)
    Rsqrt {
        /// Added to x.
        eps: f32,
    },
    /// a tanh(b x)
    ScaledTanh {
        /// Factor of the result.
        a: f32,
        /// Factor of x.
        b: f32,
    },
    /// logistic function
    Sigmoid,
    /// min(max(a x + b, 0), 1)
    SigmoidHard {
        /// Factor.
        a: f32,
        /// Offset.
        b: f32,
    },
    /// -1, 0 or 1
    Sign,
    /// x sigmoid(x)
    Silu,
    /// sine
    Sin,
    /// hyperbolic sine
    Sinh,
    /// ln(1 + e^x)
    Softplus,
    /// a ln(1 + e^(b x))
    SoftplusParametric {
        /// Factor of the result.
        a: f32,
        /// Factor of x.
        b: f32,
    },
    /// x / (1 + |x|)
    Softsign,
    /// square root
    Sqrt,
    /// x x
    Square,
    /// tangent
    Tan,
    /// hyperbolic tangent
    Tanh,
    /// max(x, a)
    Threshold(f32),
    /// x where x >= a, else 0
    ThresholdedRelu(f32),
    /// -x
    Neg,
}

trait Fn1: Copy {
    fn at(self, x: f32) -> f32;
}

simd! {
    fn map_lines<F: Fn1>(f: F, x: &mut [f32]) {
        for v in x {
            *v = f.at(*v);
        }
    }
}

/// Applies `f` to every value. What does not fill a vector goes through a padded block: scalar code for it would cost as
/// much as everything before it on the short rows of an epilogue.
fn map<F: Fn1>(f: F, x: &mut [f32]) {
    let (lines, rest) = x.split_at_mut(x.len() & !15);
    map_lines(f, lines);
    if !rest.is_empty() {
        let mut block = [0f32; 16];
        block[..rest.len()].copy_from_slice(rest);
        map_lines(f, &mut block);
        rest.copy_from_slice(&block[..rest.len()]);
    }
}

/// `apply!(x, |v, scalars..| formula)` compiles the formula for every vector level and runs it over `x`.
macro_rules! apply {
    ($x:expr, |$v:ident $(, $s:ident)*| $body:expr) => {{
        #[derive(Clone, Copy)]
        struct F { $($s: f32),* }
        impl Fn1 for F {
            #[inline(always)]
            fn at(self, $v: f32) -> f32 {
                let F { $($s),* } = self;
                $body
            }
        }
        map(F { $($s),* }, $x)
    }};
}

/// Applies `op` to every value in place.
pub fn unary_f32(op: Unary, x: &mut [f32]) {
    match op {
        Unary::Abs => apply!(x, |v| v.abs()),
        Unary::Acos => apply!(x, |v| v.acos()),
        Unary::Acosh => apply!(x, |v| v.acosh()),
        Unary::Asin => apply!(x, |v| v.asin()),
        Unary::Asinh => apply!(x, |v| v.asinh()),
        Unary::Atan => apply!(x, |v| v.atan()),
        Unary::Atanh => apply!(x, |v| {
            let a = v.abs();
            (0.5 * (2.0 * a / (1.0 - a)).ln_1p()).copysign(v)
        }),
        Unary::Ceil => apply!(x, |v| v.ceil()),
        Unary::ClampedRelu { a, hi } => apply!(x, |v, a, hi| {
            let v = if v < 0.0 { a * v } else { v };
            if v > hi { hi } else { v }
        }),
        Unary::Clip { lo, hi } => apply!(x, |v, lo, hi| {
            let v = if v < lo { lo } else { v };
            if v > hi { hi } else { v }
        }),
        Unary::Cos if large_angle(x) => x.iter_mut().for_each(|v| *v = v.cos()),
        Unary::Cos => apply!(x, |v| math::cos(v)),
        Unary::Cosh => apply!(x, |v| v.cosh()),
        Unary::Elu(a) => apply!(x, |v, a| if v < 0.0 { a * math::expm1(v) } else { v }),
        Unary::Erf => apply!(x, |v| math::erf(v)),
        Unary::Exp => apply!(x, |v| math::exp(v)),
        Unary::Exp2 => apply!(x, |v| v.exp2()),
        Unary::Floor => apply!(x, |v| v.floor()),
        Unary::Gelu => apply!(x, |v| math::gelu(v)),
        Unary::GeluTanh => apply!(x, |v| math::gelu_tanh(v)),
        Unary::GeluSigmoid => apply!(x, |v| v * math::sigmoid(1.702 * v)),
        Unary::Inverse { eps } => apply!(x, |v, eps| 1.0 / (v + eps)),
        Unary::LeakyRelu(a) => apply!(x, |v, a| if v < 0.0 { a * v } else { v }),
        Unary::Log { eps } => apply!(x, |v, eps| math::ln(v + eps)),
        Unary::Linear { a, b } => apply!(x, |v, a, b| v.mul_add(a, b)),
        Unary::Mul(a) => apply!(x, |v, a| v * a),
        Unary::Add(a) => apply!(x, |v, a| v + a),
        Unary::RSub(a) => apply!(x, |v, a| a - v),
        Unary::RDiv(a) => apply!(x, |v, a| a / v),
        Unary::Div(a) => apply!(x, |v, a| v / a),
        Unary::Pow(2.0) | Unary::Square => apply!(x, |v| v * v),
        Unary::Pow(0.5) | Unary::Sqrt => apply!(x, |v| v.sqrt()),
        Unary::Pow(a) => apply!(x, |v, a| v.powf(a)),
        Unary::Max(a) | Unary::Threshold(a) => apply!(x, |v, a| if v < a { a } else { v }),
        Unary::Min(a) => apply!(x, |v, a| if v > a { a } else { v }),
        Unary::Relu => apply!(x, |v| if v < 0.0 { 0.0 } else { v }),
        Unary::Relu6 => unary_f32(Unary::Clip { lo: 0.0, hi: 6.0 }, x),
        Unary::Round => apply!(x, |v| v.round_ties_even()),
        Unary::Rsqrt { eps } => apply!(x, |v, eps| 1.0 / (v + eps).sqrt()),
        Unary::ScaledTanh { a, b } => apply!(x, |v, a, b| a * math::tanh(b * v)),
        Unary::Sigmoid => apply!(x, |v| math::sigmoid(v)),
        Unary::SigmoidHard { a, b } => apply!(x, |v, a, b| {
            let y = v.mul_add(a, b);
            let y = if y < 0.0 { 0.0 } else { y };
            if y > 1.0 { 1.0 } else { y }
        }),
        Unary::Sign => apply!(x, |v| if v > 0.0 {
            1.0
        } else if v < 0.0 {
            -1.0
        } else {
            v
        }),
        Unary::Silu => apply!(x, |v| v * math::sigmoid(v)),
        Unary::Sin if large_angle(x) => x.iter_mut().for_each(|v| *v = v.sin()),
        Unary::Sin => apply!(x, |v| math::sin(v)),
        Unary::Sinh => apply!(x, |v| v.sinh()),
        Unary::Softplus => apply!(x, |v| math::softplus(v)),
        Unary::SoftplusParametric { a, b } => apply!(x, |v, a, b| a * math::softplus(b * v)),
        Unary::Softsign => apply!(x, |v| v / (1.0 + v.abs())),
        Unary::Tan => apply!(x, |v| v.tan()),
        Unary::Tanh => apply!(x, |v| math::tanh(v)),
        Unary::ThresholdedRelu(a) => apply!(x, |v, a| if v < a { 0.0 } else { v }),
        Unary::Neg => apply!(x, |v| -v),
    }
}

/// Is an angle too large for the fast reduction?
fn large_angle(x: &[f32]) -> bool {
    x.iter().any(|v| v.abs() > math::TRIGONOMETRIC_LIMIT)
}

/// Elements a thread should get before another is woken.
pub(crate) const GRAIN: usize = 16 * 1024;
/// Elements of one fp16 block held as `f32` on the stack.
pub(crate) const BLOCK: usize = 1024;

/// `out[i] = op(x[i])`; `out` is as long as `x`.
pub fn unary<T: Float>(op: Unary, x: &[T], out: &mut [T], pool: &Pool) {
    unary_chain(&[op], x, out, pool);
}

/// Several functions one after another, rounding to fp16 after each when `T` is fp16.
pub fn unary_chain<T: Float>(ops: &[Unary], x: &[T], out: &mut [T], pool: &Pool) {
    assert_eq!(x.len(), out.len());
    pool.for_pieces(out, BLOCK, GRAIN / BLOCK, |i, out| {
        let x = &x[i * BLOCK..][..out.len()];
        if !T::FP16 {
            let out = bytemuck::cast_slice_mut::<T, f32>(out);
            out.copy_from_slice(bytemuck::cast_slice(x));
            ops.iter().for_each(|&op| unary_f32(op, out));
            return;
        }
        let mut buffer = [0f32; BLOCK];
        let block = &mut buffer[..out.len()];
        T::expand(x, block);
        for (n, &op) in ops.iter().enumerate() {
            if n > 0 {
                crate::float::round_in_place(block);
            }
            unary_f32(op, block);
        }
        T::round(block, out);
    });
}

/// `out[i] = op(x[i])`, and further steps on every block of the result while it is in cache. Without `x` the
/// elements are in `out` already.
pub fn unary_then<T: Float>(op: Unary, x: Option<&[T]>, out: &mut [T], then: Then<'_>, pool: &Pool) {
    channels_then(&[op], out.len(), x, out, then, pool);
}

/// As [`unary_then`] with a function for each channel: every `after` elements the next of `ops` is used, and after the
/// last the first again.
pub fn channels_then<T: Float>(
    ops: &[Unary],
    after: usize,
    x: Option<&[T]>,
    out: &mut [T],
    then: Then<'_>,
    pool: &Pool,
) {
    assert!(x.is_none_or(|x| x.len() == out.len()));
    if out.is_empty() || ops.is_empty() {
        return;
    }
    // A piece is part of one channel, or of all when they share a function.
    let (after, planes) = if ops.len() == 1 { (out.len(), 1) } else { (after, out.len() / after) };
    let pieces = after.div_ceil(BLOCK);
    let shared = SharedMut::new(out);
    pool.for_ranges(planes * pieces, (GRAIN / after.min(BLOCK)).max(1), |range| {
        for i in range {
            let (plane, first) = (i / pieces, i % pieces * BLOCK);
            let at = plane * after + first;
            // SAFETY: piece `i` belongs to this range alone.
            let out = unsafe { shared.slice(at..plane * after + (first + BLOCK).min(after)) };
            let mut buffer = [0f32; BLOCK];
            let block = &mut buffer[..out.len()];
            match x {
                Some(x) => T::expand(&x[at..at + out.len()], block),
                None => T::expand(out, block),
            }
            unary_f32(ops[plane % ops.len()], block);
            then.apply(at, block);
            T::round(block, out);
        }
    });
}

/// A function of one integer; arithmetic wraps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum IntUnary {
    /// |x|
    Abs,
    /// -x
    Neg,
    /// -1, 0 or 1
    Sign,
    /// x x
    Square,
    /// max(x, 0)
    Relu,
    /// x clamped
    Clip {
        /// Lower bound.
        lo: i64,
        /// Upper bound.
        hi: i64,
    },
}

/// `out[i] = op(x[i])` on integers.
pub fn int_unary<T: crate::binary::Int>(op: IntUnary, x: &[T], out: &mut [T], pool: &Pool) {
    assert_eq!(x.len(), out.len());
    let zero = T::default();
    pool.for_pieces(out, BLOCK, GRAIN / BLOCK, |i, out| {
        for (v, o) in x[i * BLOCK..].iter().zip(out) {
            *o = match op {
                IntUnary::Abs => {
                    if *v < zero {
                        zero.wrapping_sub(*v)
                    } else {
                        *v
                    }
                }
                IntUnary::Neg => zero.wrapping_sub(*v),
                IntUnary::Sign => T::from_i64(i64::from(*v > zero) - i64::from(*v < zero)),
                IntUnary::Square => v.wrapping_mul(*v),
                IntUnary::Relu => {
                    if *v < zero {
                        zero
                    } else {
                        *v
                    }
                }
                IntUnary::Clip { lo, hi } => T::from_i64(v.to_i64().clamp(lo, hi.max(lo))),
            };
        }
    });
}

/// `out[i] = !x[i]` on bools (bytes, 0 is false).
pub fn not(x: &[u8], out: &mut [u8], pool: &Pool) {
    assert_eq!(x.len(), out.len());
    pool.for_pieces(out, BLOCK, GRAIN / BLOCK, |i, out| {
        x[i * BLOCK..].iter().zip(out).for_each(|(v, o)| *o = u8::from(*v == 0));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Random, assert_close};
    use mil_base::f16;

    type Row = (Unary, fn(f64) -> f64);
    const TABLE: &[Row] = &[
        (Unary::Relu, |x| x.max(0.0)),
        (Unary::Clip { lo: -0.5, hi: 0.75 }, |x| x.clamp(-0.5, 0.75)),
        (Unary::Gelu, |x| 0.5 * x * (1.0 + libm::erf(x / 2f64.sqrt()))),
        (Unary::GeluTanh, |x| {
            0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh())
        }),
        (Unary::Silu, |x| x / (1.0 + (-x).exp())),
        (Unary::Elu(1.5), |x| if x < 0.0 { 1.5 * x.exp_m1() } else { x }),
        (Unary::LeakyRelu(0.1), |x| if x < 0.0 { 0.1 * x } else { x }),
        (Unary::SigmoidHard { a: 0.2, b: 0.5 }, |x| (0.2 * x + 0.5).clamp(0.0, 1.0)),
        (Unary::Softplus, |x| x.exp().ln_1p()),
        (Unary::Sign, |x| if x == 0.0 { 0.0 } else { x.signum() }),
        (Unary::Round, f64::round_ties_even),
        (Unary::Tanh, f64::tanh),
        (Unary::Sin, f64::sin),
        (Unary::ThresholdedRelu(0.3), |x| if x < 0.3 { 0.0 } else { x }),
        (Unary::Linear { a: 2.0, b: -1.0 }, |x| 2.0 * x - 1.0),
    ];

    #[test]
    fn formulas_match_in_both_precisions() {
        let pool = Pool::new(2).unwrap();
        let mut random = Random::new(1);
        for &(op, exact) in TABLE {
            for n in [0, 1, 17, 1025, 40_000] {
                let x = random.vec(n, 4.0);
                let mut out = vec![0f32; n];
                unary(op, &x, &mut out, &pool);
                let want: Vec<f64> = x.iter().map(|&v| exact(f64::from(v))).collect();
                assert_close(&out, &want, 1e-6, &format!("{op:?}"));
                let h: Vec<f16> = x.iter().map(|&v| f16::from_f32(v)).collect();
                let mut out = vec![f16::ZERO; n];
                unary(op, &h, &mut out, &pool);
                let got: Vec<f32> = out.iter().map(|v| v.to_f32()).collect();
                let want: Vec<f64> = h.iter().map(|&v| exact(v.to_f64())).collect();
                assert_close(&got, &want, 6e-4, &format!("fp16 {op:?}"));
            }
        }
    }

    #[test]
    fn integers_wrap() {
        let mut out = [0i32; 3];
        int_unary(IntUnary::Abs, &[-3, i32::MIN, 4], &mut out, &Pool::inline());
        assert_eq!(out, [3, i32::MIN, 4]);
        int_unary(IntUnary::Clip { lo: 0, hi: 3 }, &[-3, 2, 4], &mut out, &Pool::inline());
        assert_eq!(out, [0, 2, 3]);
    }
}
