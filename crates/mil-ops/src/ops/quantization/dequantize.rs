//! `dequantize`: 8-bit integers as floats.

use super::common::{Parameters, affine, infer_parameters, parameter_constraints};
use crate::contract::*;
use crate::support::plan::{for_float, output};
use mil_base::{DType, DTypes, Opset, Type};
use mil_kernels::binary::Int;
use mil_kernels::{Affine, Float, bytes_as, bytes_as_mut};

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
    cpu: Cpu::kernel(plan),
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

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    fn kernel<Q: Int, T: Float>(affine: Affine, input: usize) -> CpuKernel {
        CpuKernel::new(move |call| {
            let (q, out) = (bytes_as::<Q>(call.read(input)?), bytes_as_mut::<T>(output(call.outputs)?));
            affine.dequantize(q, out, call.pool);
            Ok(())
        })
    }
    let (scale, slot, affine) = (cx.ty("scale")?, cx.need("input")?, affine(cx)?);
    match cx.ty("input")?.dtype {
        DType::Int8 => for_float!(cx, "scale", scale.dtype, T => Ok(kernel::<i8, T>(affine, slot))),
        DType::UInt8 => for_float!(cx, "scale", scale.dtype, T => Ok(kernel::<u8, T>(affine, slot))),
        _ => Err(cx.unplanned("input")),
    }
}
