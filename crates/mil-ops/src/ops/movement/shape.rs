//! `shape`: the sizes of a tensor as a vector.

use super::common::X;
use crate::contract::*;
use crate::support::index::ANE_LATER;
use mil_base::{DType, Opset, Shape};

/// The card of `shape`.
pub static SHAPE: OpDef = OpDef {
    name: "shape",
    doc: Doc::page(include_str!("shape.md")),
    versions: &[Version::new(Opset::Ios15, &[X])],
    constraints: &[],
    infer: |cx| {
        let rank = cx.need("x")?.shape.rank();
        cx.one(DType::Int32, Shape::known(&[rank]))
    },
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: Gradient::Zero,
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let sizes: Vec<i64> =
        call.arg("x")?.shape.iter().map(|&n| i64::try_from(n).unwrap_or(i64::MAX)).collect();
    Ok(vec![RefTensor::ints(DType::Int32, &[sizes.len()], sizes)])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let slot = cx.need("x")?;
    let sizes: Vec<u8> = cx.ty("x")?.shape.iter().flat_map(|&n| (n as i32).to_le_bytes()).collect();
    let bytes = sizes.len();
    let run = move |call: &mut KernelCall<'_>| {
        if let Some(out) = call.outputs.first_mut() {
            out.copy_from_slice(&sizes);
        }
        Ok(())
    };
    Ok(CpuKernel::new(run).keeps(vec![slot], bytes))
}
