//! `stack`: tensors of one shape side by side along a new axis.

use super::concat::{same_dtype, side_by_side};
use crate::contract::*;
use crate::support::index::*;
use mil_base::{Dim, Opset, Shape, Type};

/// The card of `stack`.
pub static STACK: OpDef = OpDef {
    name: "stack",
    doc: Doc::page(include_str!("stack.md")),
    versions: &[Version::new(
        Opset::Ios15,
        &[Param::variadic("values", sets::ANY), Param::constant("axis", sets::INT32)],
    )],
    constraints: &[
        Constraint { slug: "stack/axis-in-range", rule: "axis is in -rank..rank of the result" },
        Constraint { slug: "stack/same-dtype", rule: "all values have one dtype" },
        Constraint { slug: "stack/same-shape", rule: "all values have one shape" },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: GRADIENT_LATER,
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let values = cx.tys("values");
    let Some(&first) = values.first() else { return Err(cx.unknown("values")) };
    let axis = cx.need_int("axis")?;
    let mut dims = first.shape.0.clone();
    for other in &values[1..] {
        same_dtype(cx, "stack/same-dtype", first, other)?;
        if !other.shape.may_equal(&first.shape) {
            let message = format!("{} cannot stand beside {}", other.shape, first.shape);
            return Err(cx.refuse("stack/same-shape", "values", message, "give all values one shape"));
        }
        for (dim, other) in dims.iter_mut().zip(&*other.shape) {
            *dim = dim.merge(*other);
        }
    }
    let axis = cx.axis("stack/axis-in-range", "axis", axis, dims.len() + 1)?;
    dims.insert(axis, Dim::Known(values.len()));
    cx.one(first.dtype, Shape(dims))
}

/// The values one after another, as one vector of the first one's dtype.
pub(super) fn chained(values: &[&RefTensor]) -> RefTensor {
    fn chain<T>(values: &[&RefTensor], pick: impl Fn(&RefTensor) -> Vec<T>) -> Vec<T> {
        values.iter().flat_map(|v| pick(v)).collect()
    }
    let texts = |v: &RefTensor| match &v.data {
        RefData::Text(t) => t.clone(),
        _ => Vec::new(),
    };
    let data = match values.first().map(|v| &v.data) {
        Some(RefData::Text(_)) => RefData::Text(chain(values, texts)),
        Some(RefData::Bool(_)) => {
            RefData::Bool(chain(values, |v| v.i64s().iter().map(|&b| b != 0).collect()))
        }
        Some(RefData::Int(_)) => RefData::Int(chain(values, RefTensor::i64s)),
        _ => RefData::Float(chain(values, RefTensor::f64s)),
    };
    let dtype = values.first().map_or(mil_base::DType::Fp32, |v| v.dtype);
    RefTensor { dtype, shape: vec![values.iter().map(|v| v.count()).sum()], data }
}

/// Tensors of one shape side by side along the new axis `axis`.
pub(super) fn stacked(values: &[&RefTensor], axis: usize) -> Result<Vec<RefTensor>, Failure> {
    let mut shape = values.first().map(|v| v.shape.clone()).unwrap_or_default();
    if let Some(other) = values.iter().find(|v| v.shape != shape) {
        let message = format!("{:?} cannot stand beside {shape:?}", other.shape);
        return Err(Failure::new("stack/same-shape", message));
    }
    let strides = row_major(&shape);
    let each_count: usize = shape.iter().product();
    shape.insert(axis, values.len());
    let from = each(&shape, |at| {
        let mut inner = at.to_vec();
        let which = inner.remove(axis);
        which * each_count + position(&strides, &inner)
    });
    Ok(vec![chained(values).select(&shape, &from?)])
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let values = call.all("values");
    let rank = values.first().map_or(0, |v| v.shape.len());
    stacked(values, axis_of(call.int("axis")?, rank + 1)?)
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let values = cx.tys("values")?;
    let axis = cx.view.int("axis").ok_or_else(|| cx.unplanned("axis"))?;
    let first = values.first().ok_or_else(|| cx.unplanned("values"))?;
    let axis = axis_of(axis, first.shape.len() + 1)?;
    let (before, after) = first.shape.split_at(axis);
    side_by_side(cx, &vec![after.iter().product(); values.len()], before.iter().product())
}
