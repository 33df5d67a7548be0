//! `l2_norm`: the last three axes scaled to length 1.

use crate::contract::*;
use crate::support::plan::{for_float, output, scalar};
use mil_base::{Opset, Type};
use mil_kernels::norm::l2_norm;
use mil_kernels::{Float, bytes_as, bytes_as_mut};

/// The card of `l2_norm`.
pub static L2_NORM: OpDef = OpDef {
    name: "l2_norm",
    doc: Doc::page(include_str!("l2_norm.md")),
    versions: &[
        Version::new(
            Opset::Ios15,
            &[
                Param::tensor("x", sets::FLOAT).group("T"),
                Param::constant("epsilon", sets::FLOAT).group("T").or(Default::Float(1e-6)),
            ],
        ),
        Version::new(
            Opset::Ios17,
            &[
                Param::tensor("x", sets::FLOAT).group("T"),
                Param::constant("epsilon", sets::FLOAT).group("U").or(Default::Float(1e-6)),
            ],
        ),
    ],
    constraints: &[Constraint { slug: "l2_norm/rank", rule: "x has rank 3 or more" }],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |op| (op.ty("x")?.shape.count()? as u64).checked_mul(3),
    accuracy: Accuracy::of_largest(4e-7),
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    if x.shape.rank() < 3 {
        return Err(cx.refuse(
            "l2_norm/rank",
            "x",
            format!("x is {x}"),
            "x needs three axes to be normalised: expand_dims adds missing ones",
        ));
    }
    cx.one(x.dtype, x.shape.clone())
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (x, epsilon) = (call.arg("x")?, call.float("epsilon")?);
    let [.., a, b, c] = x.shape[..] else {
        return Err(Failure::new("l2_norm/rank", "x needs three axes"));
    };
    let mut out = x.f64s();
    for part in out.chunks_mut((a * b * c).max(1)) {
        let length = (part.iter().map(|v| v * v).sum::<f64>() + epsilon).sqrt();
        part.iter_mut().for_each(|v| *v /= length);
    }
    Ok(vec![RefTensor::floats(x.dtype, &x.shape, out)])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    fn kernel<T: Float>(slot: usize, row: usize, epsilon: f32) -> CpuKernel {
        CpuKernel::new(move |call| {
            let (x, out) = (bytes_as::<T>(call.read(slot)?), bytes_as_mut::<T>(output(call.outputs)?));
            l2_norm(row, epsilon, x, out, call.pool);
            Ok(())
        })
    }
    let (x, slot, epsilon) = (cx.ty("x")?, cx.need("x")?, scalar(cx, "epsilon")?);
    let [.., a, b, c] = x.shape[..] else { return Err(cx.unplanned("x")) };
    for_float!(cx, "x", x.dtype, T => Ok(kernel::<T>(slot, a * b * c, epsilon)))
}
