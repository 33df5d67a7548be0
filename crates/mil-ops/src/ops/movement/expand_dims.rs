//! `expand_dims`: new dimensions of size 1.

use super::common::{X, X_17};
use crate::contract::*;
use crate::support::index::*;
use mil_base::{Dim, Opset, Shape, Type};

/// The card of `expand_dims`.
pub static EXPAND_DIMS: OpDef = OpDef {
    name: "expand_dims",
    doc: Doc::page(include_str!("expand_dims.md")),
    versions: &[
        Version::new(Opset::Ios15, &[X, Param::constant("axes", sets::INT32)]),
        Version::new(Opset::Ios17, &[X_17, Param::constant("axes", sets::INT32)]),
    ],
    constraints: &[Constraint {
        slug: "expand_dims/axes-in-range",
        rule: "every axis is in -rank..rank of the result, and none is named twice",
    }],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(|cx| Ok(CpuKernel::view(cx.need("x")?))),
    gradient: GRADIENT_LATER,
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    let axes = cx.need_ints("axes")?;
    let mut axes =
        distinct_axes(cx, "expand_dims/axes-in-range", "axes", &axes, x.shape.rank() + axes.len())?;
    axes.sort_unstable();
    let mut dims = x.shape.0.clone();
    for axis in axes {
        dims.insert(axis.min(dims.len()), Dim::Known(1));
    }
    cx.one(x.dtype, Shape(dims))
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let axes = call.ints("axes")?;
    let rank = x.shape.len() + axes.len();
    let mut axes = axes.iter().map(|&a| axis_of(a, rank)).collect::<Result<Vec<_>, _>>()?;
    axes.sort_unstable();
    let mut shape = x.shape.clone();
    for axis in axes {
        shape.insert(axis.min(shape.len()), 1);
    }
    Ok(vec![RefTensor { dtype: x.dtype, shape, data: x.data.clone() }])
}
