//! `fill_like`: a tensor of one value, in the shape of another.

use super::fill::{filling, repeated};
use crate::contract::*;
use crate::support::index::ANE_LATER;
use mil_base::{DType, Opset};

/// The card of `fill_like`.
pub static FILL_LIKE: OpDef = OpDef {
    name: "fill_like",
    doc: Doc::page(include_str!("fill_like.md")),
    versions: &[Version::new(
        Opset::Ios16,
        &[
            Param::tensor("ref_tensor", sets::PLAIN).group("T"),
            Param::constant("value", sets::PLAIN).group("U").or(Default::Float(0.0)),
        ],
    )],
    constraints: &[],
    infer: |cx| {
        let shape = cx.need("ref_tensor")?.shape.clone();
        let dtype = cx.ty("value").map_or(DType::Fp32, |t| t.dtype);
        cx.one(dtype, shape)
    },
    reference: Reference::Rule(|call| Ok(vec![repeated(call, &call.arg("ref_tensor")?.shape)?])),
    cpu: Cpu::kernel(|cx| filling(cx, cx.need("ref_tensor")?)),
    gradient: Gradient::Zero,
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};
