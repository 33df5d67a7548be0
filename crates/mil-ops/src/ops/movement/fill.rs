//! `fill`: a tensor of one value.

use crate::contract::*;
use crate::support::index::*;
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
    cpu: Cpu::Reference("kernel not connected yet"),
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
    let (1, Some(rank)) = (ty.shape.rank(), rank) else {
        let message = format!("`shape` is {}, not a vector of known length", ty.shape);
        return Err(cx.refuse("fill/shape", "shape", message, "its length is the rank of the result"));
    };
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
