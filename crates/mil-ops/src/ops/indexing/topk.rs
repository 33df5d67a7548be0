//! `topk`: the largest or smallest elements along an axis, and where they are.

use super::argsort::orders;
use super::sorting::{for_lines, scratch};
use crate::contract::*;
use crate::support::axes::Around;
use crate::support::index::*;
use crate::support::moves::{by_size, element_size};
use mil_base::{DType, DTypes, Dim, Opset, Type};
use mil_kernels::{bytes_as, bytes_as_mut};

/// The card of `topk`.
pub static TOPK: OpDef = OpDef {
    name: "topk",
    doc: Doc::page(include_str!("topk.md")),
    versions: &[
        Version::new(Opset::Ios15, &[Param::tensor("x", sets::NUMBER).group("T"), K, AXIS, ASCENDING])
            .outputs(Outputs::Exactly(2)),
        Version::new(
            Opset::Ios16,
            &[Param::tensor("x", sets::NUMBER).group("T"), K, AXIS, ASCENDING, SORT, RETURN_INDICES],
        )
        .outputs(OUTPUTS),
        Version::new(
            Opset::Ios17,
            &[
                Param::tensor("x", sets::NUMBER_17).group("T"),
                Param::constant("k", DTypes::of(&[DType::Int8, DType::Int16, DType::Int32]))
                    .group("K")
                    .or(Default::Int(1)),
                AXIS,
                ASCENDING,
                SORT,
                RETURN_INDICES,
                Param::constant("output_indices_dtype", sets::STRING).or(Default::Str("int32")),
            ],
        )
        .outputs(OUTPUTS),
    ],
    constraints: &[
        Constraint { slug: "topk/axis-in-range", rule: "axis is in -rank..rank" },
        Constraint {
            slug: "topk/k-in-range",
            rule: "k is from 0 to the size of x along axis; -1 means that size (iOS 17)",
        },
        Constraint {
            slug: "topk/indices-dtype",
            rule: "output_indices_dtype is int32 or uint16, and only stated when indices are returned",
        },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: GRADIENT_LATER,
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

const K: Param = Param::constant("k", sets::INT32).or(Default::Int(1));
const AXIS: Param = Param::constant("axis", sets::INT32).or(Default::Int(-1));
const ASCENDING: Param = Param::constant("ascending", sets::BOOL).or(Default::Bool(false));
const SORT: Param = Param::constant("sort", sets::BOOL).or(Default::Bool(true));
const RETURN_INDICES: Param = Param::constant("return_indices", sets::BOOL).or(Default::Bool(true));
const OUTPUTS: Outputs = Outputs::Varies("values and indices, or values alone with return_indices = false");

/// How many elements are taken of an axis of size `n`, as far as that is known; nothing if `k` is wrong.
fn taken(k: i64, n: Dim, all_by_minus_one: bool) -> Option<Dim> {
    if k == -1 && all_by_minus_one {
        return Some(n);
    }
    let k = usize::try_from(k).ok()?;
    (k <= n.known().unwrap_or(usize::MAX)).then_some(Dim::Known(k))
}

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    let axis = cx.need_int("axis")?;
    let axis = cx.axis("topk/axis-in-range", "axis", axis, x.shape.rank())?;
    let k = cx.need_int("k")?;
    let Some(taken) = taken(k, x.shape[axis], cx.version.since >= Opset::Ios17) else {
        let message = format!("{k} elements cannot be taken of {}", x.shape[axis]);
        return Err(cx.refuse("topk/k-in-range", "k", message, "give a `k` from 0 to the size of the axis"));
    };
    let mut shape = x.shape.clone();
    shape.0[axis] = taken;
    let mut outputs = vec![Type::tensor(x.dtype, shape.clone())];
    let returns = cx.version.since < Opset::Ios16 || cx.need_bool("return_indices")?;
    let stated = cx.version.since >= Opset::Ios17 && cx.has("output_indices_dtype");
    if stated && !returns {
        let message = "`output_indices_dtype` is stated but no indices are returned";
        return Err(cx.refuse("topk/indices-dtype", "output_indices_dtype", message, "leave it out"));
    }
    if returns {
        let name = if stated { cx.need_str("output_indices_dtype")? } else { "int32".to_owned() };
        let Some(dtype) = indices_dtype(&name) else {
            let message = format!("indices cannot be {name}");
            return Err(cx.refuse(
                "topk/indices-dtype",
                "output_indices_dtype",
                message,
                "use int32 or uint16",
            ));
        };
        outputs.push(Type::tensor(dtype, shape));
    }
    Ok(outputs)
}

fn indices_dtype(name: &str) -> Option<DType> {
    match name {
        "int32" => Some(DType::Int32),
        "uint16" => Some(DType::UInt16),
        _ => None,
    }
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let axis = axis_of(call.int("axis")?, x.shape.len())?;
    let k = call.int("k")?;
    let n = x.shape[axis];
    let taken = taken(k, Dim::Known(n), call.version.since >= Opset::Ios17).and_then(Dim::known);
    let taken = taken
        .ok_or_else(|| Failure::new("topk/k-in-range", format!("{k} elements cannot be taken of {n}")))?;
    let orders = orders(x, axis, call.bool("ascending")?);
    let strides = row_major(&x.shape);
    let mut shape = x.shape.clone();
    shape[axis] = taken;
    let places = each(&shape, |at| position(&strides, at))?;
    let indices: Vec<i64> = places.iter().map(|&place| orders[place]).collect();
    let from = each(&shape, |at| (position(&strides, at), at[axis]))?;
    let from: Vec<usize> = from
        .iter()
        .zip(&indices)
        .map(|(&(place, along), &index)| place - along * strides[axis] + index as usize * strides[axis])
        .collect();
    let mut outputs = vec![x.select(&shape, &from)];
    if call.version.since < Opset::Ios16 || call.bool("return_indices")? {
        let named = call.version.since >= Opset::Ios17;
        let name = if named { call.str("output_indices_dtype")? } else { "int32".to_owned() };
        let dtype = indices_dtype(&name).unwrap_or(DType::Int32);
        outputs.push(RefTensor::ints(dtype, &shape, indices));
    }
    Ok(outputs)
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (x, slot, bytes) = (cx.ty("x")?, cx.need("x")?, element_size(cx, 0)?);
    let axis = cx.view.int("axis").ok_or_else(|| cx.unplanned("axis"))?;
    let ascending = cx.view.bool("ascending").ok_or_else(|| cx.unplanned("ascending"))?;
    let axis = axis_of(axis, x.shape.len())?;
    let around = Around::new(&x.shape, axis);
    let k = cx.outputs.first().and_then(|o| o.shape.get(axis)).copied().unwrap_or(0).min(around.along);
    let narrow = cx.outputs.get(1).is_some_and(|o| o.dtype == DType::UInt16);
    let kernel = CpuKernel::new(move |call| {
        let input = call.read(slot)?;
        for_lines(call, input, x.dtype, around, k, ascending, |outputs, first, order| {
            let (outer, inner) = (first / (around.along * around.after), first % around.after);
            let target = outer * k * around.after + inner;
            by_size!(bytes, T => {
                let (input, out) = (bytes_as::<T>(input), bytes_as_mut::<T>(&mut *outputs[0]));
                for (i, &index) in order.iter().enumerate() {
                    out[target + i * around.after] = input[first + index as usize * around.after];
                }
            });
            let Some(indices) = outputs.get_mut(1) else { return };
            for (i, &index) in order.iter().enumerate() {
                match narrow {
                    true => bytes_as_mut::<u16>(indices)[target + i * around.after] = index as u16,
                    false => bytes_as_mut::<u32>(indices)[target + i * around.after] = index,
                }
            }
        })
    });
    Ok(kernel.scratch(scratch(around.along)))
}
