//! `constexpr_cast`: fp16 weights read as fp32.

use crate::contract::*;
use crate::support::index::ANE_LATER;
use crate::support::moves::GRAIN;
use crate::support::plan::output;
use mil_base::{DType, DTypes, Opset, Type, f16};
use mil_kernels::{Float, bytes_as, bytes_as_mut};

/// The card of `constexpr_cast`.
pub static CONSTEXPR_CAST: OpDef = OpDef {
    name: "constexpr_cast",
    doc: Doc::page(include_str!("constexpr_cast.md")),
    versions: &[Version::new(Opset::Ios16, PARAMS), Version::new(Opset::Ios18, PARAMS)],
    constraints: &[Constraint { slug: "constexpr_cast/output-dtype", rule: "output_dtype is fp32" }],
    infer,
    reference: Reference::Rule(|call| {
        let source = call.arg("source_val")?;
        Ok(vec![RefTensor::floats(DType::Fp32, &source.shape, source.f64s())])
    }),
    cpu: Cpu::kernel(plan),
    gradient: Gradient::None("its arguments are constants"),
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

const PARAMS: &[Param] = &[
    Param::constant("source_val", DTypes::of(&[DType::Fp16])),
    Param::constant("output_dtype", sets::STRING),
];

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let source = cx.need("source_val")?;
    let dtype = cx.need_str("output_dtype")?;
    if dtype != "fp32" {
        let message = format!("weights cannot be cast to {dtype}");
        return Err(cx.refuse("constexpr_cast/output-dtype", "output_dtype", message, "use fp32"));
    }
    cx.one(DType::Fp32, source.shape.clone())
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let source = cx.need("source_val")?;
    Ok(CpuKernel::new(move |call| {
        let from = bytes_as::<f16>(call.read(source)?);
        let out = bytes_as_mut::<f32>(output(call.outputs)?);
        call.pool.for_pieces(out, GRAIN, 1, |i, out| {
            f16::expand(&from[i * GRAIN..][..out.len()], out);
        });
        Ok(())
    }))
}
