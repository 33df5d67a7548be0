//! `instance_norm`: mean 0 and variance 1 over the spatial axes of each channel of each image.

use super::common::{Parameter, channel_values, check_channel_vectors};
use crate::contract::*;
use crate::support::plan::{for_float, output, scalar};
use mil_base::{Opset, Type};
use mil_kernels::norm::group_norm;
use mil_kernels::{Float, bytes_as, bytes_as_mut};

/// The card of `instance_norm`.
pub static INSTANCE_NORM: OpDef = OpDef {
    name: "instance_norm",
    doc: Doc::page(include_str!("instance_norm.md")),
    versions: &[Version::new(Opset::Ios15, &IOS15), Version::new(Opset::Ios17, &IOS17)],
    constraints: &[
        Constraint { slug: "instance_norm/rank", rule: "x has rank 3 or 4" },
        Constraint {
            slug: "instance_norm/channel-sizes",
            rule: "gamma and beta are vectors with one element for each channel (axis 1) of x",
        },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |op| (op.ty("x")?.shape.count()? as u64).checked_mul(8),
    accuracy: Accuracy::sum(1e-6),
};

const IOS15: [Param; 4] = params("T");
const IOS17: [Param; 4] = params("U");

const fn params(group: &'static str) -> [Param; 4] {
    [
        Param::tensor("x", sets::FLOAT).group("T"),
        Param::constant("gamma", sets::FLOAT).group(group).or(Default::Absent),
        Param::constant("beta", sets::FLOAT).group(group).or(Default::Absent),
        Param::constant("epsilon", sets::FLOAT).group(group).or(Default::Float(1e-5)),
    ]
}

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    if !(3..=4).contains(&x.shape.rank()) {
        return Err(cx.refuse(
            "instance_norm/rank",
            "x",
            format!("x is {x}"),
            "x needs a batch axis, a channel axis and 1 or 2 spatial axes: reshape joins more of them",
        ));
    }
    check_channel_vectors(cx, "instance_norm/channel-sizes", &["gamma", "beta"], x.shape[1]);
    cx.one(x.dtype, x.shape.clone())
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let (&[_, channels, ref spatial @ ..], epsilon) = (&x.shape[..], call.float("epsilon")?) else {
        return Err(Failure::new("instance_norm/rank", "x needs batch and channel axes"));
    };
    let gamma = channel_values(call, "instance_norm/channel-sizes", "gamma", channels, 1.0)?;
    let beta = channel_values(call, "instance_norm/channel-sizes", "beta", channels, 0.0)?;
    let size = spatial.iter().product::<usize>().max(1);
    let mut out = x.f64s();
    for (i, image) in out.chunks_mut(size).enumerate() {
        let mean = image.iter().sum::<f64>() / size as f64;
        let variance = image.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / size as f64;
        let (g, b) = (gamma[i % channels], beta[i % channels]);
        image.iter_mut().for_each(|v| *v = (*v - mean) / (variance + epsilon).sqrt() * g + b);
    }
    Ok(vec![RefTensor::floats(x.dtype, &x.shape, out)])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    fn kernel<T: Float>(
        slot: usize,
        sizes: [usize; 3],
        epsilon: f32,
        parameters: [Parameter; 2],
    ) -> CpuKernel {
        CpuKernel::new(move |call| {
            let x = bytes_as::<T>(call.read(slot)?);
            let [gamma, beta] = [parameters[0].read(call)?, parameters[1].read(call)?];
            group_norm(sizes, epsilon, x, gamma, beta, bytes_as_mut::<T>(output(call.outputs)?), call.pool);
            Ok(())
        })
    }
    let (x, slot, epsilon) = (cx.ty("x")?, cx.need("x")?, scalar(cx, "epsilon")?);
    let &[_, channels, ref spatial @ ..] = x.shape.as_slice() else { return Err(cx.unplanned("x")) };
    let parameters = [Parameter::new(cx, "gamma")?, Parameter::new(cx, "beta")?];
    let sizes = [channels, channels, spatial.iter().product()];
    for_float!(cx, "x", x.dtype, T => Ok(kernel::<T>(slot, sizes, epsilon, parameters)))
}
