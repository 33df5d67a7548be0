//! `flatten2d`: a matrix of the dimensions before and after an axis.

use super::common::X;
use crate::contract::*;
use crate::support::index::*;
use mil_base::{Opset, Shape, Type};

/// The card of `flatten2d`.
pub static FLATTEN2D: OpDef = OpDef {
    name: "flatten2d",
    doc: Doc::page(include_str!("flatten2d.md")),
    versions: &[Version::new(Opset::Ios15, &[X, Param::constant("axis", sets::INT32).or(Default::Int(1))])],
    constraints: &[Constraint { slug: "flatten2d/axis-in-range", rule: "axis is in -rank..=rank" }],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(|cx| Ok(CpuKernel::view(cx.need("x")?))),
    gradient: GRADIENT_LATER,
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

/// Where the shape is cut: `rank` is allowed, and leaves nothing after it.
fn cut(axis: i64, rank: usize) -> Option<usize> {
    if axis == rank as i64 { Some(rank) } else { wrap_axis(axis, rank) }
}

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    let axis = cx.need_int("axis")?;
    let rank = x.shape.rank();
    let Some(at) = cut(axis, rank) else {
        let message = format!("axis {axis} is out of range");
        let help = format!("x has rank {rank}: use -{rank} to {rank}");
        return Err(cx.refuse("flatten2d/axis-in-range", "axis", message, help));
    };
    cx.one(x.dtype, Shape(vec![product(&x.shape[..at]), product(&x.shape[at..])]))
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let axis = call.int("axis")?;
    let at = cut(axis, x.shape.len())
        .ok_or_else(|| Failure::new("flatten2d/axis-in-range", format!("axis {axis} is out of range")))?;
    let shape = vec![x.shape[..at].iter().product(), x.shape[at..].iter().product()];
    Ok(vec![RefTensor { dtype: x.dtype, shape, data: x.data.clone() }])
}
