//! `batch_norm`: each channel scaled and shifted by constants.

use super::common::{channel_values, check_channel_vectors};
use crate::contract::*;
use crate::support::plan::{for_float, output};
use mil_base::{Opset, Type};
use mil_kernels::norm::channel_affine;
use mil_kernels::{Float, bytes_as, bytes_as_mut};

/// The card of `batch_norm`.
pub static BATCH_NORM: OpDef = OpDef {
    name: "batch_norm",
    doc: Doc::page(include_str!("batch_norm.md")),
    versions: &[Version::new(Opset::Ios15, &IOS15), Version::new(Opset::Ios17, &IOS17)],
    constraints: &[
        Constraint { slug: "batch_norm/rank", rule: "x has rank 3, 4 or 5" },
        Constraint {
            slug: "batch_norm/channel-sizes",
            rule: "mean, variance, gamma and beta are vectors with one element for each channel (axis 1) of x",
        },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |op| (op.ty("x")?.shape.count()? as u64).checked_mul(2),
    accuracy: Accuracy::sum(3e-7),
};

const IOS15: [Param; 6] = params("T");
const IOS17: [Param; 6] = params("U");

const fn params(group: &'static str) -> [Param; 6] {
    [
        Param::tensor("x", sets::FLOAT).group("T"),
        Param::constant("mean", sets::FLOAT).group(group),
        Param::constant("variance", sets::FLOAT).group(group),
        Param::constant("gamma", sets::FLOAT).group(group).or(Default::Absent),
        Param::constant("beta", sets::FLOAT).group(group).or(Default::Absent),
        Param::constant("epsilon", sets::FLOAT).group(group).or(Default::Float(1e-5)),
    ]
}

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    if !(3..=5).contains(&x.shape.rank()) {
        return Err(cx.refuse(
            "batch_norm/rank",
            "x",
            format!("x is {x}"),
            "x needs a batch axis, a channel axis and 1 to 3 spatial axes: expand_dims adds missing ones",
        ));
    }
    check_channel_vectors(cx, "batch_norm/channel-sizes", &["mean", "variance", "gamma", "beta"], x.shape[1]);
    cx.one(x.dtype, x.shape.clone())
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let code = "batch_norm/channel-sizes";
    let (&[_, channels, ref spatial @ ..], epsilon) = (&x.shape[..], call.float("epsilon")?) else {
        return Err(Failure::new("batch_norm/rank", "x needs batch and channel axes"));
    };
    let mean = channel_values(call, code, "mean", channels, 0.0)?;
    let variance = channel_values(call, code, "variance", channels, 1.0)?;
    let gamma = channel_values(call, code, "gamma", channels, 1.0)?;
    let beta = channel_values(call, code, "beta", channels, 0.0)?;
    let size = spatial.iter().product::<usize>().max(1);
    let normalized = x.f64s().into_iter().enumerate().map(|(i, v)| {
        let c = i / size % channels;
        (v - mean[c]) / (variance[c] + epsilon).sqrt() * gamma[c] + beta[c]
    });
    Ok(vec![RefTensor::floats(x.dtype, &x.shape, normalized.collect())])
}

/// With the constants known, one scale and one shift for each channel are all that is left.
fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    fn kernel<T: Float>(slot: usize, inner: usize, scale: Vec<f32>, shift: Vec<f32>) -> CpuKernel {
        let prepared = 4 * (scale.len() + shift.len());
        CpuKernel::new(move |call| {
            let (x, out) = (bytes_as::<T>(call.read(slot)?), bytes_as_mut::<T>(output(call.outputs)?));
            channel_affine(scale.len(), inner, x, &scale, &shift, out, call.pool);
            Ok(())
        })
        .keeps(Vec::new(), prepared)
    }
    let (x, slot) = (cx.ty("x")?, cx.need("x")?);
    let &[_, channels, ref spatial @ ..] = x.shape.as_slice() else { return Err(cx.unplanned("x")) };
    let vector = |name: &str, missing: f64| match (cx.view.has(name), cx.tensor(name)) {
        (false, _) => Ok(vec![missing; channels]),
        (true, Some(values)) if values.count() == channels => Ok(values.to_f64()),
        (true, _) => Err(cx.unplanned(name)),
    };
    let (mean, variance) = (vector("mean", 0.0)?, vector("variance", 1.0)?);
    let (gamma, beta) = (vector("gamma", 1.0)?, vector("beta", 0.0)?);
    let epsilon = cx.view.float("epsilon").ok_or_else(|| cx.unplanned("epsilon"))?;
    let scale: Vec<f64> = gamma.iter().zip(&variance).map(|(g, v)| g / (v + epsilon).sqrt()).collect();
    let shift = beta.iter().zip(mean.iter().zip(&scale)).map(|(b, (m, s))| (b - m * s) as f32).collect();
    let scale = scale.iter().map(|&s| s as f32).collect();
    let inner = spatial.iter().product();
    for_float!(cx, "x", x.dtype, T => Ok(kernel::<T>(slot, inner, scale, shift)))
}
