//! `quantize`: floats as 8-bit integers.

use super::common::{Parameters, affine, infer_parameters, parameter_constraints};
use crate::contract::*;
use crate::support::plan::{for_float, output};
use mil_base::{DType, DTypes, Opset, Type};
use mil_kernels::binary::Int;
use mil_kernels::{Affine, Float, bytes_as, bytes_as_mut};

/// The card of `quantize`.
pub static QUANTIZE: OpDef = OpDef {
    name: "quantize",
    doc: Doc::page(include_str!("quantize.md")),
    versions: &[Version::new(
        Opset::Ios17,
        &[
            Param::tensor("input", sets::FLOAT).group("SrcT"),
            Param::constant("zero_point", DTypes::of(&[DType::Int8, DType::UInt8]))
                .group("DstT")
                .or(Default::Absent),
            Param::constant("scale", sets::FLOAT).group("SrcT"),
            Param::constant("axis", sets::INT32).or(Default::Absent),
            Param::constant("output_dtype", sets::STRING),
        ],
    )],
    constraints: parameter_constraints!(
        "quantize",
        Constraint {
            slug: "quantize/output-dtype",
            rule: "output_dtype is int8 or uint8, and the dtype of zero_point"
        },
        Constraint { slug: "quantize/scale-not-zero", rule: "not every scale is 0" }
    ),
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: Gradient::Zero,
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |op| (op.ty("input")?.shape.count()? as u64).checked_mul(3),
    accuracy: Accuracy::EXACT,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let input = cx.need("input")?;
    let text = cx.need_str("output_dtype")?;
    let dtype = DType::parse(&text).filter(|d| matches!(d, DType::Int8 | DType::UInt8));
    let dtype = dtype.ok_or_else(|| {
        cx.refuse(
            "quantize/output-dtype",
            "output_dtype",
            format!("`quantize` cannot make `{text}`"),
            "use int8 or uint8",
        )
    })?;
    if let Some(zero) = cx.ty("zero_point").filter(|z| z.dtype != dtype) {
        cx.report(
            "quantize/output-dtype",
            "zero_point",
            format!("`zero_point` is {} but `output_dtype` is {dtype}", zero.dtype),
            format!("declare `zero_point` as {dtype}"),
        );
    }
    infer_parameters(cx)?;
    if let Some(scale) = cx.tensor("scale")
        && scale.to_f64().iter().all(|&s| s == 0.0)
    {
        cx.report("quantize/scale-not-zero", "scale", "every `scale` is 0", "divide by something else");
    }
    cx.one(dtype, input.shape.clone())
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (input, parameters) = (call.arg("input")?, Parameters::of(call)?);
    let text = call.str("output_dtype")?;
    let unknown = || Failure::new("quantize/output-dtype", format!("`quantize` cannot make `{text}`"));
    let dtype = DType::parse(&text).ok_or_else(unknown)?;
    let (low, high) = dtype.int_range().ok_or_else(unknown)?;
    let quantized = input.f64s().into_iter().enumerate().map(|(i, v)| {
        let (scale, zero) = parameters.at(i);
        ((v / scale).round_ties_even() + zero).clamp(low as f64, high as f64) as i64
    });
    Ok(vec![RefTensor::ints(dtype, &input.shape, quantized.collect())])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    fn kernel<T: Float, Q: Int>(affine: Affine, range: (i32, i32), input: usize) -> CpuKernel {
        CpuKernel::new(move |call| {
            let (x, out) = (bytes_as::<T>(call.read(input)?), bytes_as_mut::<Q>(output(call.outputs)?));
            affine.quantize(range, x, out, call.pool);
            Ok(())
        })
    }
    let (input, slot, affine) = (cx.ty("input")?, cx.need("input")?, affine(cx)?);
    match cx.outputs.first().map(|o| o.dtype) {
        Some(DType::Int8) => {
            for_float!(cx, "input", input.dtype, T => Ok(kernel::<T, i8>(affine, (-128, 127), slot)))
        }
        Some(DType::UInt8) => {
            for_float!(cx, "input", input.dtype, T => Ok(kernel::<T, u8>(affine, (0, 255), slot)))
        }
        _ => Err(cx.unplanned("output_dtype")),
    }
}
