//! What ops have in common that make each element of the output from one element of each input.

use crate::contract::*;
use crate::support::broadcast;
use mil_base::{DType, Opset, Type};

/// The signature of a function of one float tensor.
pub const OF_FLOATS: &[Version] =
    &[Version::new(Opset::Ios15, &[Param::tensor("x", sets::FLOAT).group("T")])];

/// The signature of a function of one tensor of floats or int32.
pub const OF_NUMBERS: &[Version] =
    &[Version::new(Opset::Ios15, &[Param::tensor("x", sets::NUMBER).group("T")])];

/// Inference: the output has the type of `x`.
pub fn same_type(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    cx.one(x.dtype, x.shape.clone())
}

/// Inference: the output has the type of `x`, and `alpha` and `beta`, where the op has them, are single values or the
/// constraint `op/parameters-are-scalars` is broken.
pub fn same_type_scalar_parameters(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    for name in ["alpha", "beta"] {
        let Some(ty) = cx.ty(name) else { continue };
        if ty.shape.iter().any(|d| d.known() != Some(1)) {
            cx.report(
                cx.slug("parameters-are-scalars"),
                name,
                format!("`{name}` is {} but must be one value", ty.shape),
                format!(
                    "write `{name}` as a scalar, or spell the op out with `mul` and `add`, which broadcast"
                ),
            );
        }
    }
    same_type(cx)
}

/// Cost: so many floating-point operations for each element of `x`.
pub fn each(op: &OpView<'_>, flops: u64) -> Option<u64> {
    (op.ty("x")?.shape.count()? as u64).checked_mul(flops)
}

/// Cost: so many floating-point operations for each element of the output.
pub fn each_output(op: &OpView<'_>, flops: u64) -> Option<u64> {
    (op.outputs().first().copied()??.shape.count()? as u64).checked_mul(flops)
}

/// Reference: `f` of every element of the float tensor `x`.
pub fn map(call: &RefCall<'_>, f: impl Fn(f64) -> f64) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    Ok(vec![RefTensor::floats(x.dtype, &x.shape, x.f64s().into_iter().map(f).collect())])
}

/// Reference: as [`map`], with another function for integers, whose results wrap.
pub fn map_numbers(
    call: &RefCall<'_>,
    float: impl Fn(f64) -> f64,
    int: impl Fn(i64) -> i64,
) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    match &x.data {
        RefData::Int(v) => Ok(vec![RefTensor::ints(x.dtype, &x.shape, v.iter().map(|&v| int(v)).collect())]),
        _ => map(call, float),
    }
}

/// `x` and `y` read in the shape they broadcast to, for references.
pub struct Pair {
    /// Element type of both.
    pub dtype: DType,
    /// The shape they broadcast to.
    pub shape: Vec<usize>,
    /// `x` in that shape.
    pub x: RefTensor,
    /// `y` in that shape.
    pub y: RefTensor,
}

impl Pair {
    /// The arguments `x` and `y` of a call.
    pub fn of(call: &RefCall<'_>) -> Result<Pair, Failure> {
        let (x, y) = (call.arg("x")?, call.arg("y")?);
        let shape = broadcast::sizes(&[&x.shape, &y.shape]).ok_or_else(|| {
            Failure::new("op/shapes-differ", format!("{:?} and {:?} do not broadcast", x.shape, y.shape))
        })?;
        let (at_x, at_y) = (broadcast::positions(&x.shape, &shape)?, broadcast::positions(&y.shape, &shape)?);
        let (x, y) = (x.select(&shape, &at_x), y.select(&shape, &at_y));
        Ok(Pair { dtype: x.dtype, shape, x, y })
    }

    /// `f` of each two elements, as f64.
    pub fn f64s<T>(&self, f: impl Fn(f64, f64) -> T) -> Vec<T> {
        self.x.f64s().into_iter().zip(self.y.f64s()).map(|(x, y)| f(x, y)).collect()
    }

    /// `f` of each two elements, as i64.
    pub fn i64s<T>(&self, f: impl Fn(i64, i64) -> T) -> Vec<T> {
        self.x.i64s().into_iter().zip(self.y.i64s()).map(|(x, y)| f(x, y)).collect()
    }
}

/// `v`, or `low` where it is less; NaN stays NaN.
pub fn at_least(v: f64, low: f64) -> f64 {
    if v < low { low } else { v }
}

/// `v`, or `high` where it is greater; NaN stays NaN.
pub fn at_most(v: f64, high: f64) -> f64 {
    if v > high { high } else { v }
}

/// The logistic function.
pub fn sigmoid(v: f64) -> f64 {
    1.0 / (1.0 + (-v).exp())
}

/// `ln(1 + e^v)` without overflow.
pub fn softplus(v: f64) -> f64 {
    (-v.abs()).exp().ln_1p() + at_least(v, 0.0)
}
