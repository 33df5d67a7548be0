//! What all functions of two broadcast tensors share.

use crate::contract::*;
use crate::support::broadcast;
use mil_base::{DType, Opset, Type};

/// The signature of a function of two tensors of numbers.
pub(crate) const OF_NUMBERS: &[Version] = &[Version::new(
    Opset::Ios15,
    &[Param::tensor("x", sets::NUMBER).group("T"), Param::tensor("y", sets::NUMBER).group("T")],
)];

/// The signature of a function of two tensors of bools.
pub(crate) const OF_BOOLS: &[Version] = &[Version::new(
    Opset::Ios15,
    &[Param::tensor("x", sets::BOOL).group("T"), Param::tensor("y", sets::BOOL).group("T")],
)];

/// The output has the dtype of `x` and the shape both broadcast to.
pub(crate) fn infer_same(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let dtype = cx.need("x")?.dtype;
    let shape = broadcast::infer(cx, cx.slug("shapes-broadcast"), &["x", "y"])?;
    cx.one(dtype, shape)
}

/// The output is bool and has the shape both broadcast to.
pub(crate) fn infer_bool(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let shape = broadcast::infer(cx, cx.slug("shapes-broadcast"), &["x", "y"])?;
    cx.one(DType::Bool, shape)
}

/// The constraint every function of two tensors has, named after the op.
macro_rules! shapes_broadcast {
    ($name:literal) => {
        &[Constraint {
            slug: concat!($name, "/shapes-broadcast"),
            rule: "aligned at their last dimension, the sizes of x and y are equal or 1",
        }]
    };
}
pub(crate) use shapes_broadcast;
