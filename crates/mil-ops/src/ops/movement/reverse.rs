//! `reverse`: the elements along some axes in the opposite order.

use super::common::{X, X_17};
use crate::contract::*;
use crate::support::index::*;
use crate::support::moves::Walk;
use mil_base::{Opset, Type};

/// The card of `reverse`.
pub static REVERSE: OpDef = OpDef {
    name: "reverse",
    doc: Doc::page(include_str!("reverse.md")),
    versions: &[Version::new(Opset::Ios15, &[X, AXES]), Version::new(Opset::Ios17, &[X_17, AXES])],
    constraints: &[Constraint {
        slug: "reverse/axes-in-range",
        rule: "every axis is in -rank..rank, and none is named twice",
    }],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: GRADIENT_LATER,
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

const AXES: Param = Param::constant("axes", sets::INT32).or(Default::Computed("every axis of x"));

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    if cx.has("axes") {
        let axes = cx.need_ints("axes")?;
        distinct_axes(cx, "reverse/axes-in-range", "axes", &axes, x.shape.rank())?;
    }
    cx.one(x.dtype, x.shape.clone())
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let rank = x.shape.len();
    let axes = match call.get("axes") {
        Some(axes) => axes.i64s().into_iter().map(|a| axis_of(a, rank)).collect::<Result<Vec<_>, _>>()?,
        None => (0..rank).collect(),
    };
    let strides = row_major(&x.shape);
    let from = each(&x.shape, |at| {
        let along = |d: usize| if axes.contains(&d) { x.shape[d] - 1 - at[d] } else { at[d] };
        (0..rank).map(|d| along(d) * strides[d]).sum()
    })?;
    Ok(vec![x.select(&x.shape, &from)])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let x = cx.ty("x")?;
    let rank = x.shape.len();
    let axes = match cx.view.ints("axes") {
        Some(axes) => axes.into_iter().map(|a| axis_of(a, rank)).collect::<Result<Vec<_>, _>>()?,
        None => (0..rank).collect(),
    };
    let mut walk = Walk::over(&x.shape);
    for axis in axes.into_iter().filter(|&a| x.shape[a] > 1) {
        walk.start += (x.shape[axis] - 1) * walk.steps[axis] as usize;
        walk.steps[axis] = -walk.steps[axis];
    }
    walk.kernel(cx, cx.need("x")?, &x.shape)
}
