//! Arithmetic of two tensors, a row each.

use super::common::{OF_NUMBERS, infer_same, shapes_broadcast};
use crate::contract::*;
use crate::support::elementwise::{Pair, each_output};
use crate::support::plan::{Other, beside, binary, fusible, fusing, unary};
use mil_base::DType;
use mil_kernels::{Binary, Unary};

const PAGE: &str = include_str!("arithmetic.md");

macro_rules! row {
    ($name:literal, $float:expr, $int:expr, $cpu:expr, $accuracy:expr) => {
        OpDef {
            name: $name,
            doc: Doc::section(PAGE, $name),
            versions: OF_NUMBERS,
            constraints: shapes_broadcast!($name),
            infer: infer_same,
            reference: Reference::Rule(|call| apply(call, $float, $int)),
            cpu: $cpu,
            gradient: Gradient::Todo("differentiation is a later issue"),
            ane: Ane::Todo("the Neural Engine's rules are a later issue"),
            cost: |op| each_output(op, 1),
            accuracy: $accuracy,
        }
    };
}

/// `x + y`.
pub static ADD: OpDef = row!(
    "add",
    |x, y| x + y,
    i64::wrapping_add,
    fusible(|cx| binary(cx, Binary::Add), add_post),
    Accuracy::ROUNDED
);
/// `floor(x / y)`.
pub static FLOOR_DIV: OpDef = row!(
    "floor_div",
    |x, y| (x / y).floor(),
    floor_div,
    fusing(|cx| binary(cx, Binary::FloorDiv)),
    Accuracy::ROUNDED
);
/// The larger.
pub static MAXIMUM: OpDef = row!(
    "maximum",
    |x, y| if x < y || y.is_nan() { y } else { x },
    |x, y| x.max(y),
    fusible(|cx| binary(cx, Binary::Max), maximum_post),
    Accuracy::EXACT
);
/// The smaller.
pub static MINIMUM: OpDef = row!(
    "minimum",
    |x, y| if x > y || y.is_nan() { y } else { x },
    |x, y| x.min(y),
    fusible(|cx| binary(cx, Binary::Min), minimum_post),
    Accuracy::EXACT
);
/// What floor division leaves.
pub static MOD: OpDef =
    row!("mod", float_mod, int_mod, fusing(|cx| binary(cx, Binary::Mod)), Accuracy::ROUNDED);
/// `x * y`.
pub static MUL: OpDef = row!(
    "mul",
    |x, y| x * y,
    i64::wrapping_mul,
    fusible(|cx| binary(cx, Binary::Mul), mul_post),
    Accuracy::ROUNDED
);
/// `x` to the power `y`.
pub static POW: OpDef = row!("pow", f64::powf, int_power, fusing(plan_pow), Accuracy::ulps(2.0));
/// `x / y`.
pub static REAL_DIV: OpDef = row!(
    "real_div",
    |x, y| x / y,
    truncated_div,
    fusible(|cx| binary(cx, Binary::Div), real_div_post),
    Accuracy::ROUNDED
);
/// `x - y`.
pub static SUB: OpDef = row!(
    "sub",
    |x, y| x - y,
    i64::wrapping_sub,
    fusible(|cx| binary(cx, Binary::Sub), sub_post),
    Accuracy::ROUNDED
);

fn apply(
    call: &RefCall<'_>,
    float: fn(f64, f64) -> f64,
    int: fn(i64, i64) -> i64,
) -> Result<Vec<RefTensor>, Failure> {
    let pair = Pair::of(call)?;
    Ok(vec![match pair.dtype.is_int() {
        true => RefTensor::ints(pair.dtype, &pair.shape, pair.i64s(int)),
        false => RefTensor::floats(pair.dtype, &pair.shape, pair.f64s(float)),
    }])
}

/// The remainder with the sign of the divisor.
fn float_mod(x: f64, y: f64) -> f64 {
    let rest = x % y;
    if rest != 0.0 && (rest < 0.0) != (y < 0.0) { rest + y } else { rest }
}

/// Toward zero; a zero divisor gives zero.
fn truncated_div(x: i64, y: i64) -> i64 {
    if y == 0 { 0 } else { x.wrapping_div(y) }
}

/// Toward minus infinity; a zero divisor gives zero.
fn floor_div(x: i64, y: i64) -> i64 {
    let quotient = truncated_div(x, y);
    if int_mod(x, y) != 0 && (x < 0) != (y < 0) { quotient - 1 } else { quotient }
}

/// The remainder with the sign of the divisor; a zero divisor gives zero.
fn int_mod(x: i64, y: i64) -> i64 {
    if y == 0 {
        return 0;
    }
    let rest = x.wrapping_rem(y);
    if rest != 0 && (rest < 0) != (y < 0) { rest + y } else { rest }
}

/// Wrapped; a negative exponent gives the truncated fraction, which is 0 unless `x` is 1 or -1.
fn int_power(x: i64, y: i64) -> i64 {
    match (x, y) {
        (1, ..0) => 1,
        (-1, ..0) => 1 - 2 * (y & 1),
        (_, ..0) => 0,
        _ => x.wrapping_pow(u32::try_from(y).unwrap_or(u32::MAX)),
    }
}

/// A constant exponent is a function of `x` alone: squares are far faster than powers.
fn plan_pow(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (x, exponent) = (cx.ty("x")?, cx.tensor("y").and_then(|y| y.item_f64()));
    match exponent {
        Some(2.0) if x.dtype != DType::Int32 && cx.outputs.first() == Some(&x) => unary(cx, Unary::Square),
        _ => binary(cx, Binary::Pow),
    }
}

fn add_post(cx: &CpuCx<'_>, slot: usize) -> Option<PostOp> {
    Some(match beside(cx, slot)?.1 {
        Other::Scalar(c) => PostOp::AddScalar(c),
        Other::Same(slot) => PostOp::Add { slot },
    })
}

fn mul_post(cx: &CpuCx<'_>, slot: usize) -> Option<PostOp> {
    Some(match beside(cx, slot)?.1 {
        Other::Scalar(c) => PostOp::MulScalar(c),
        Other::Same(slot) => PostOp::Mul { slot },
    })
}

fn sub_post(cx: &CpuCx<'_>, slot: usize) -> Option<PostOp> {
    match beside(cx, slot)? {
        ("y", Other::Scalar(c)) => Some(PostOp::AddScalar(-c)),
        _ => None,
    }
}

/// Division by a power of two is a multiplication, to the last bit.
fn real_div_post(cx: &CpuCx<'_>, slot: usize) -> Option<PostOp> {
    match beside(cx, slot)? {
        ("y", Other::Scalar(c)) if c.is_normal() && c.to_bits().trailing_zeros() >= 23 => {
            Some(PostOp::MulScalar(1.0 / c)).filter(|_| (1.0 / c).is_normal())
        }
        _ => None,
    }
}

fn maximum_post(cx: &CpuCx<'_>, slot: usize) -> Option<PostOp> {
    match beside(cx, slot)?.1 {
        Other::Scalar(lo) if !lo.is_nan() => Some(PostOp::Clip { lo, hi: f32::INFINITY }),
        _ => None,
    }
}

fn minimum_post(cx: &CpuCx<'_>, slot: usize) -> Option<PostOp> {
    match beside(cx, slot)?.1 {
        Other::Scalar(hi) if !hi.is_nan() => Some(PostOp::Clip { lo: f32::NEG_INFINITY, hi }),
        _ => None,
    }
}
