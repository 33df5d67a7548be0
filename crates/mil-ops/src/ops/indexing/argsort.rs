//! `argsort`: the order of the elements along an axis.

use super::sorting::{for_lines, scratch};
use crate::contract::*;
use crate::support::axes::Around;
use crate::support::index::*;
use mil_base::{DType, Opset, Type};
use mil_kernels::bytes_as_mut;
use std::cmp::Ordering;

/// The card of `argsort`.
pub static ARGSORT: OpDef = OpDef {
    name: "argsort",
    doc: Doc::page(include_str!("argsort.md")),
    versions: &[Version::new(
        Opset::Ios15,
        &[
            Param::tensor("x", sets::NUMBER).group("T"),
            Param::constant("axis", sets::INT32).or(Default::Int(-1)),
            Param::constant("ascending", sets::BOOL).or(Default::Bool(false)),
        ],
    )],
    constraints: &[Constraint { slug: "argsort/axis-in-range", rule: "axis is in -rank..rank" }],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: Gradient::Zero,
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    let axis = cx.need_int("axis")?;
    cx.axis("argsort/axis-in-range", "axis", axis, x.shape.rank())?;
    cx.need_bool("ascending")?;
    cx.one(DType::Int32, x.shape.clone())
}

/// Which of two elements comes first: by value in the direction asked for, NaN last.
pub(super) fn before(ascending: bool, a: f64, b: f64) -> Ordering {
    let order = a.partial_cmp(&b).map(|o| if ascending { o } else { o.reverse() });
    order.unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// For each place along `axis` and over the other dimensions, the index of the element that belongs there; elements
/// that compare equal stay in order.
pub(super) fn orders(x: &RefTensor, axis: usize, ascending: bool) -> Vec<i64> {
    let n = x.shape[axis];
    let after: usize = x.shape[axis + 1..].iter().product();
    let values = x.f64s();
    let mut result = vec![0; values.len()];
    for outer in (0..values.len()).step_by((n * after).max(1)) {
        for first in outer..outer + after {
            let mut order: Vec<usize> = (0..n).collect();
            order.sort_by(|&i, &j| before(ascending, values[first + i * after], values[first + j * after]));
            for (place, index) in order.into_iter().enumerate() {
                result[first + place * after] = index as i64;
            }
        }
    }
    result
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let axis = axis_of(call.int("axis")?, x.shape.len())?;
    Ok(vec![RefTensor::ints(DType::Int32, &x.shape, orders(x, axis, call.bool("ascending")?))])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (x, slot) = (cx.ty("x")?, cx.need("x")?);
    let axis = cx.view.int("axis").ok_or_else(|| cx.unplanned("axis"))?;
    let ascending = cx.view.bool("ascending").ok_or_else(|| cx.unplanned("ascending"))?;
    let around = Around::new(&x.shape, axis_of(axis, x.shape.len())?);
    let kernel = CpuKernel::new(move |call| {
        let input = call.read(slot)?;
        for_lines(call, input, x.dtype, around, around.along, ascending, |outputs, first, order| {
            let out = bytes_as_mut::<u32>(&mut *outputs[0]);
            for (i, &index) in order.iter().enumerate() {
                out[first + i * around.after] = index;
            }
        })
    });
    Ok(kernel.scratch(scratch(around.along)))
}
