//! `softmax`: exponentials along an axis, scaled to the sum 1.

use crate::contract::*;
use crate::support::axes::{Around, resolve};
use crate::support::elementwise::{each, same_type};
use crate::support::plan::{for_float, output};
use mil_base::{Opset, Type};
use mil_kernels::{Float, Softmax, bytes_as, bytes_as_mut};

/// The card of `softmax`.
pub static SOFTMAX: OpDef = OpDef {
    name: "softmax",
    doc: Doc::page(include_str!("softmax.md")),
    versions: &[Version::new(
        Opset::Ios15,
        &[
            Param::tensor("x", sets::FLOAT).group("T"),
            Param::constant("axis", sets::INT32).or(Default::Int(-1)),
        ],
    )],
    constraints: &[Constraint { slug: "softmax/axis-in-range", rule: "axis is in -rank..rank" }],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |op| each(op, 5),
    // The sum of the exponentials is of fp32; its error grows with the length of the axis.
    accuracy: Accuracy::of_largest(3e-6),
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let rank = cx.need("x")?.shape.rank();
    let axis = cx.need_int("axis")?;
    cx.axis("softmax/axis-in-range", "axis", axis, rank)?;
    same_type(cx)
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let around = Around::new(&x.shape, resolve(call.int("axis")?, x.shape.len())?);
    let mut y = x.f64s();
    for start in around.lines() {
        let line: Vec<usize> = (0..around.along).map(|a| start + a * around.after).collect();
        let largest = line.iter().map(|&i| y[i]).fold(f64::NEG_INFINITY, f64::max);
        for &i in &line {
            y[i] = (y[i] - largest).exp();
        }
        let sum: f64 = line.iter().map(|&i| y[i]).sum();
        for &i in &line {
            y[i] /= sum;
        }
    }
    Ok(vec![RefTensor::floats(x.dtype, &x.shape, y)])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    fn kernel<T: Float>(plan: Softmax, x: usize, threads: usize) -> CpuKernel {
        let scratch = plan.scratch_bytes(threads);
        CpuKernel::new(move |call| {
            let (x, out) = (bytes_as::<T>(call.read(x)?), bytes_as_mut::<T>(output(call.outputs)?));
            plan.run(x, out, call.scratch, call.pool);
            Ok(())
        })
        .scratch(scratch)
    }
    let x = cx.ty("x")?;
    let axis = resolve(cx.view.int("axis").ok_or_else(|| cx.unplanned("axis"))?, x.shape.len())?;
    let (plan, slot) = (Softmax::new(&x.shape, axis), cx.need("x")?);
    for_float!(cx, "x", x.dtype, T => Ok(kernel::<T>(plan, slot, cx.threads)))
}
