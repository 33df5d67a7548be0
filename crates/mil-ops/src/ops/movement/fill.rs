//! `fill`: a tensor of one value.

use crate::contract::*;
use crate::support::index::*;
use crate::support::moves::output;
use mil_base::{DType, Dim, Opset, Shape, Type};

/// The card of `fill`.
pub static FILL: OpDef = OpDef {
    name: "fill",
    doc: Doc::page(include_str!("fill.md")),
    versions: &[Version::new(
        Opset::Ios15,
        &[
            Param::tensor("shape", sets::INT32),
            Param::constant("value", sets::PLAIN).group("T").or(Default::Float(0.0)),
        ],
    )],
    constraints: &[Constraint {
        slug: "fill/shape",
        rule: "shape is a vector of known length, and no entry is negative",
    }],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: Gradient::Zero,
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let dtype = cx.ty("value").map_or(DType::Fp32, |t| t.dtype);
    let ty = cx.need("shape")?;
    let known = cx.ints("shape");
    let rank = known.as_ref().map(Vec::len).or(ty.shape.first().and_then(|d| d.known()));
    if ty.shape.rank() != 1 {
        let message = format!("`shape` is {}, not a vector", ty.shape);
        return Err(cx.refuse("fill/shape", "shape", message, "its length is the rank of the result"));
    }
    let Some(rank) = rank else { return Ok(vec![Type::Unranked(dtype)]) };
    let Some(sizes) = known else {
        return cx.one(dtype, Shape(vec![Dim::Unknown; rank.min(64)]));
    };
    match filled(&sizes) {
        Ok(shape) => cx.one(dtype, Shape::known(&shape)),
        Err(size) => {
            let message = format!("{size} is no size");
            Err(cx.refuse("fill/shape", "shape", message, "sizes are 0 or more"))
        }
    }
}

fn filled(sizes: &[i64]) -> Result<Vec<usize>, i64> {
    sizes.iter().map(|&s| usize::try_from(s).map_err(|_| s)).collect()
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let shape = filled(&call.ints("shape")?);
    let shape = shape.map_err(|size| Failure::new("fill/shape", format!("{size} is no size")))?;
    Ok(vec![repeated(call, &shape)?])
}

/// A tensor of `shape` full of the argument `value`, or of fp32 zeros.
pub(super) fn repeated(call: &RefCall<'_>, shape: &[usize]) -> Result<RefTensor, Failure> {
    let n = room_for(shape)?;
    match call.get("value") {
        Some(value) if value.count() == 1 => Ok(value.select(shape, &vec![0; n])),
        Some(_) => Err(Failure::new("op/argument-unreadable", "`value` is not one value")),
        None => Ok(RefTensor::floats(DType::Fp32, shape, vec![0.0; n])),
    }
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    cx.view.ints("shape").ok_or_else(|| cx.unplanned("shape"))?;
    filling(cx, cx.need("shape")?)
}

/// The kernel that fills output 0 with `value`; the argument at `unread` gave only the shape.
pub(super) fn filling(cx: &CpuCx<'_>, unread: usize) -> Result<CpuKernel, Failure> {
    let out = cx.outputs.first().ok_or_else(|| cx.unplanned("value"))?;
    let mut element = match cx.view.has("value") {
        true => cx.tensor("value").ok_or_else(|| cx.unplanned("value"))?.bytes().to_vec(),
        false => vec![0; out.dtype.size().unwrap_or(1)],
    };
    let kept = element.len();
    if element.windows(2).all(|pair| pair[0] == pair[1]) {
        element.truncate(1);
    }
    let run = move |call: &mut KernelCall<'_>| {
        let out = output(call, 0)?;
        match element.as_slice() {
            [one] => out.fill(*one),
            many => out.chunks_exact_mut(many.len().max(1)).for_each(|o| o.copy_from_slice(many)),
        }
        Ok(())
    };
    Ok(CpuKernel::new(run).keeps(vec![unread], kept))
}
