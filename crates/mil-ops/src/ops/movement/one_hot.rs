//! `one_hot`: a vector for each index, with one value at the index and another elsewhere.

use crate::contract::*;
use crate::support::index::*;
use mil_base::{DType, Dim, Opset, Type};

/// The card of `one_hot`.
pub static ONE_HOT: OpDef = OpDef {
    name: "one_hot",
    doc: Doc::page(include_str!("one_hot.md")),
    versions: &[Version::new(
        Opset::Ios15,
        &[
            Param::tensor("indices", sets::INT32),
            Param::tensor("one_hot_vector_size", sets::INT32),
            Param::constant("axis", sets::INT32).or(Default::Int(-1)),
            Param::constant("on_value", sets::PLAIN).group("T").or(Default::Int(1)),
            Param::constant("off_value", sets::PLAIN).group("T").or(Default::Int(0)),
        ],
    )],
    constraints: &[
        Constraint { slug: "one_hot/axis-in-range", rule: "axis is in -rank..rank of the result" },
        Constraint { slug: "one_hot/size", rule: "one_hot_vector_size is a scalar and not negative" },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::Reference("kernel not connected yet"),
    gradient: Gradient::Zero,
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let indices = cx.need("indices")?;
    let axis = cx.need_int("axis")?;
    let axis = cx.axis("one_hot/axis-in-range", "axis", axis, indices.shape.rank() + 1)?;
    let size = cx.need("one_hot_vector_size")?;
    if size.shape.rank() != 0 && size.shape.count() != Some(1) {
        let message = format!("`one_hot_vector_size` is {size}");
        return Err(cx.refuse("one_hot/size", "one_hot_vector_size", message, "give a scalar"));
    }
    let size = match cx.int("one_hot_vector_size") {
        None => Dim::Unknown,
        Some(size) => match usize::try_from(size) {
            Ok(size) => Dim::Known(size),
            Err(_) => {
                let message = format!("a vector cannot have {size} elements");
                return Err(cx.refuse("one_hot/size", "one_hot_vector_size", message, "give 0 or more"));
            }
        },
    };
    let dtype = cx.ty("on_value").or(cx.ty("off_value")).map_or(DType::Int32, |t| t.dtype);
    let mut shape = indices.shape.clone();
    shape.0.insert(axis, size);
    cx.one(dtype, shape)
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let indices = call.arg("indices")?;
    let axis = axis_of(call.int("axis")?, indices.shape.len() + 1)?;
    let size = call.int("one_hot_vector_size")?;
    let size = usize::try_from(size)
        .map_err(|_| Failure::new("one_hot/size", format!("a vector cannot have {size} elements")))?;
    let dtype = call.get("on_value").or(call.get("off_value")).map_or(DType::Int32, |t| t.dtype);
    let (on, off) = (call.float("on_value")?, call.float("off_value")?);
    let mut shape = indices.shape.clone();
    shape.insert(axis, size);
    let (strides, values) = (row_major(&indices.shape), indices.i64s());
    let data = each(&shape, |at| {
        let mut place = at.to_vec();
        let i = place.remove(axis);
        if values[position(&strides, &place)] == i as i64 { on } else { off }
    })?;
    Ok(vec![RefTensor::from_f64(dtype, &shape, data)])
}
