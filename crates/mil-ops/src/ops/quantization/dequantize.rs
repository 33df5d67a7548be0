//! `dequantize`: 8-bit integers as floats.

use super::common::{Parameters, infer_parameters, parameter_constraints};
use crate::contract::*;
use mil_base::{DType, DTypes, Opset, Type};

const BYTES: DTypes = DTypes::of(&[DType::Int8, DType::UInt8]);

/// The card of `dequantize`.
pub static DEQUANTIZE: OpDef = OpDef {
    name: "dequantize",
    doc: Doc::page(include_str!("dequantize.md")),
    versions: &[Version::new(
        Opset::Ios17,
        &[
            Param::tensor("input", BYTES).group("SrcT"),
            Param::constant("zero_point", BYTES).group("SrcT").or(Default::Absent),
            Param::constant("scale", sets::FLOAT).group("DstT"),
            Param::constant("axis", sets::INT32).or(Default::Absent),
        ],
    )],
    constraints: parameter_constraints!("dequantize"),
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::Reference("the kernel is not connected yet"),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |op| (op.ty("input")?.shape.count()? as u64).checked_mul(2),
    accuracy: Accuracy::ROUNDED,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    infer_parameters(cx)?;
    let (input, dtype) = (cx.need("input")?, cx.need("scale")?.dtype);
    cx.one(dtype, input.shape.clone())
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (input, parameters) = (call.arg("input")?, Parameters::of(call)?);
    let dtype = call.arg("scale")?.dtype;
    let values = input.f64s().into_iter().enumerate().map(|(i, q)| {
        let (scale, zero) = parameters.at(i);
        scale * (q - zero)
    });
    Ok(vec![RefTensor::floats(dtype, &input.shape, values.collect())])
}
