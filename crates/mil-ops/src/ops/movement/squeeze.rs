//! `squeeze`: dimensions of size 1 left out.

use super::common::{X, X_17};
use crate::contract::*;
use crate::support::index::*;
use mil_base::{Dim, Opset, Shape, Type};

/// The card of `squeeze`.
pub static SQUEEZE: OpDef = OpDef {
    name: "squeeze",
    doc: Doc::page(include_str!("squeeze.md")),
    versions: &[Version::new(Opset::Ios15, &[X, AXES]), Version::new(Opset::Ios17, &[X_17, AXES])],
    constraints: &[Constraint {
        slug: "squeeze/axes-in-range",
        rule: "every axis is in -rank..rank, and none is named twice",
    }],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(|cx| Ok(CpuKernel::view(cx.need("x")?))),
    gradient: GRADIENT_LATER,
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

const AXES: Param =
    Param::constant("axes", sets::INT32).or(Default::Computed("every axis whose size is known to be 1"));

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    let rank = x.shape.rank();
    let axes = if cx.has("axes") { cx.need_ints("axes")? } else { (0..rank as i64).collect() };
    let axes = distinct_axes(cx, "squeeze/axes-in-range", "axes", &axes, rank)?;
    let kept = |&(axis, dim): &(usize, &Dim)| *dim != Dim::Known(1) || !axes.contains(&axis);
    let dims = x.shape.iter().enumerate().filter(kept).map(|(_, &dim)| dim).collect();
    cx.one(x.dtype, Shape(dims))
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let rank = x.shape.len();
    let axes = match call.get("axes") {
        Some(axes) => axes.i64s().into_iter().map(|a| axis_of(a, rank)).collect::<Result<Vec<_>, _>>()?,
        None => (0..rank).collect(),
    };
    let kept = |&(axis, &size): &(usize, &usize)| size != 1 || !axes.contains(&axis);
    let shape = x.shape.iter().enumerate().filter(kept).map(|(_, &size)| size).collect();
    Ok(vec![RefTensor { dtype: x.dtype, shape, data: x.data.clone() }])
}
