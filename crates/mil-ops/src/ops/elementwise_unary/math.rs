//! Functions of one tensor without parameters, a row each.

use crate::contract::*;
use crate::support::elementwise::{OF_FLOATS, OF_NUMBERS, each, map, map_numbers, same_type};
use crate::support::plan::{fusible, fusing, ints, post, unary, unary_or_int};
use mil_base::DType;
use mil_kernels::{IntUnary, Unary};

const PAGE: &str = include_str!("math.md");

type Rule = fn(&RefCall<'_>) -> Result<Vec<RefTensor>, Failure>;

const fn row(name: &'static str, reference: Rule, plan: PlanFn, accuracy: Accuracy) -> OpDef {
    OpDef {
        name,
        doc: Doc::section(PAGE, name),
        versions: OF_FLOATS,
        constraints: &[],
        infer: same_type,
        reference: Reference::Rule(reference),
        cpu: fusing(plan),
        gradient: Gradient::Todo("differentiation is a later issue"),
        ane: Ane::Todo("the Neural Engine's rules are a later issue"),
        cost: |op| each(op, 1),
        accuracy,
    }
}

/// The kernel gives 0 for results below 2^-126, which cost the processor a hundred times as much.
const SUBNORMAL_IS_ZERO: Accuracy = Accuracy::absolute(f32::MIN_POSITIVE as f64, 4.0);

/// A step function: its derivative is zero wherever it has one.
const fn step(name: &'static str, reference: Rule, plan: PlanFn) -> OpDef {
    let mut def = row(name, reference, plan, Accuracy::EXACT);
    def.gradient = Gradient::Zero;
    def
}

/// Takes int32 too.
const fn with_ints(mut def: OpDef) -> OpDef {
    def.versions = OF_NUMBERS;
    def
}

/// `|x|`.
pub static ABS: OpDef = with_ints(row(
    "abs",
    |c| map_numbers(c, f64::abs, i64::wrapping_abs),
    |cx| unary_or_int(cx, Unary::Abs, IntUnary::Abs),
    Accuracy::EXACT,
));
/// Inverse cosine.
pub static ACOS: OpDef = row("acos", |c| map(c, f64::acos), |cx| unary(cx, Unary::Acos), Accuracy::ulps(4.0));
/// Inverse sine.
pub static ASIN: OpDef = row("asin", |c| map(c, f64::asin), |cx| unary(cx, Unary::Asin), Accuracy::ulps(4.0));
/// Inverse tangent.
pub static ATAN: OpDef = row("atan", |c| map(c, f64::atan), |cx| unary(cx, Unary::Atan), Accuracy::ulps(4.0));
/// Inverse hyperbolic tangent.
pub static ATANH: OpDef =
    row("atanh", |c| map(c, f64::atanh), |cx| unary(cx, Unary::Atanh), Accuracy::ulps(6.0));
/// The least integer not below.
pub static CEIL: OpDef = step("ceil", |c| map(c, f64::ceil), |cx| unary(cx, Unary::Ceil));
/// Cosine.
pub static COS: OpDef = row("cos", |c| map(c, f64::cos), |cx| unary(cx, Unary::Cos), Accuracy::ulps(4.0));
/// Hyperbolic cosine.
pub static COSH: OpDef = row("cosh", |c| map(c, f64::cosh), |cx| unary(cx, Unary::Cosh), Accuracy::ulps(6.0));
/// The Gauss error function.
pub static ERF: OpDef = row("erf", |c| map(c, libm::erf), |cx| unary(cx, Unary::Erf), Accuracy::ulps(4.0));
/// e to the power.
pub static EXP: OpDef = row("exp", |c| map(c, f64::exp), |cx| unary(cx, Unary::Exp), SUBNORMAL_IS_ZERO);
/// 2 to the power.
pub static EXP2: OpDef =
    with_ints(row("exp2", |c| map_numbers(c, f64::exp2, power_of_two), plan_exp2, Accuracy::ulps(3.0)));
/// The greatest integer not above.
pub static FLOOR: OpDef = step("floor", |c| map(c, f64::floor), |cx| unary(cx, Unary::Floor));
/// The nearest integer, halves to even.
pub static ROUND: OpDef = step("round", |c| map(c, f64::round_ties_even), |cx| unary(cx, Unary::Round));
/// -1, 0 or 1.
pub static SIGN: OpDef = with_ints(step(
    "sign",
    |c| map_numbers(c, sign, i64::signum),
    |cx| unary_or_int(cx, Unary::Sign, IntUnary::Sign),
));
/// Sine.
pub static SIN: OpDef = row("sin", |c| map(c, f64::sin), |cx| unary(cx, Unary::Sin), Accuracy::ulps(4.0));
/// Hyperbolic sine.
pub static SINH: OpDef = row("sinh", |c| map(c, f64::sinh), |cx| unary(cx, Unary::Sinh), Accuracy::ulps(6.0));
/// Square root.
pub static SQRT: OpDef = row("sqrt", |c| map(c, f64::sqrt), |cx| unary(cx, Unary::Sqrt), Accuracy::ROUNDED);
/// `x * x`.
pub static SQUARE: OpDef = with_ints(row(
    "square",
    |c| map_numbers(c, |v| v * v, |v| v.wrapping_mul(v)),
    |cx| unary_or_int(cx, Unary::Square, IntUnary::Square),
    Accuracy::ROUNDED,
));
/// Tangent.
pub static TAN: OpDef = row("tan", |c| map(c, f64::tan), |cx| unary(cx, Unary::Tan), Accuracy::ulps(4.0));
/// Hyperbolic tangent.
pub static TANH: OpDef = OpDef {
    cpu: fusible(|cx| unary(cx, Unary::Tanh), |cx, slot| post(cx, slot, PostOp::Tanh)),
    ..row("tanh", |c| map(c, f64::tanh), |cx| unary(cx, Unary::Tanh), Accuracy::ulps(6.0))
};

fn plan_exp2(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    if cx.ty("x")?.dtype != DType::Int32 {
        return unary(cx, Unary::Exp2);
    }
    ints(cx, |x, out, _| {
        // The low 32 bits of the power, as wrapping leaves them.
        x.iter().zip(out).for_each(|(&v, o)| *o = power_of_two(v.into()) as i32);
    })
}

/// The sign as a float; zeros and NaN are themselves.
fn sign(v: f64) -> f64 {
    if v > 0.0 {
        1.0
    } else if v < 0.0 {
        -1.0
    } else {
        v
    }
}

/// `2^v` wrapped, with the fractions of negative exponents truncated to zero.
fn power_of_two(v: i64) -> i64 {
    if (0..64).contains(&v) { 1i64 << v } else { 0 }
}
