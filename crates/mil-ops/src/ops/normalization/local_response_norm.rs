//! `local_response_norm`: each element divided by a power of the energy of its neighbour channels.

use crate::contract::*;
use crate::support::plan::{for_float, output, scalar};
use mil_base::{Opset, Type};
use mil_kernels::norm::local_response_norm;
use mil_kernels::{Float, bytes_as, bytes_as_mut};

/// The card of `local_response_norm`.
pub static LOCAL_RESPONSE_NORM: OpDef = OpDef {
    name: "local_response_norm",
    doc: Doc::page(include_str!("local_response_norm.md")),
    versions: &[Version::new(Opset::Ios15, &IOS15), Version::new(Opset::Ios17, &IOS17)],
    constraints: &[
        Constraint { slug: "local_response_norm/rank", rule: "x has rank 3, 4 or 5" },
        Constraint { slug: "local_response_norm/size", rule: "size is 1 or more" },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |op| {
        let size = u64::try_from(op.int("size")?).ok()?;
        (op.ty("x")?.shape.count()? as u64).checked_mul(size.checked_mul(2)?)
    },
    accuracy: Accuracy::of_largest(6e-7),
};

const IOS15: [Param; 5] = params("T");
const IOS17: [Param; 5] = params("U");

const fn params(group: &'static str) -> [Param; 5] {
    [
        Param::tensor("x", sets::FLOAT).group("T"),
        Param::constant("size", sets::INT32),
        Param::constant("alpha", sets::FLOAT).group(group).or(Default::Float(1e-4)),
        Param::constant("beta", sets::FLOAT).group(group).or(Default::Float(0.75)),
        Param::constant("k", sets::FLOAT).group(group).or(Default::Float(1.0)),
    ]
}

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    if !(3..=5).contains(&x.shape.rank()) {
        return Err(cx.refuse(
            "local_response_norm/rank",
            "x",
            format!("x is {x}"),
            "x needs a batch axis, a channel axis and 1 to 3 spatial axes",
        ));
    }
    let size = cx.need_int("size")?;
    if size < 1 {
        cx.report(
            "local_response_norm/size",
            "size",
            format!("`size` is {size}"),
            "give the number of channels to sum over, 1 or more",
        );
    }
    cx.one(x.dtype, x.shape.clone())
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let (size, alpha) = (call.int("size")?, call.float("alpha")?);
    let (beta, k) = (call.float("beta")?, call.float("k")?);
    let (&[batch, channels, ref spatial @ ..], Some(neighbours)) =
        (&x.shape[..], usize::try_from(size).ok().filter(|&n| n > 0))
    else {
        return Err(Failure::new(
            "local_response_norm/size",
            "x needs a channel axis, and size is 1 or more",
        ));
    };
    let inner: usize = spatial.iter().product();
    let values = x.f64s();
    let mut out = Vec::with_capacity(values.len());
    for image in 0..batch {
        for c in 0..channels {
            // Half of the window, rounded down, lies before the channel.
            let first = c.saturating_sub(neighbours / 2);
            let last = (c + (neighbours - 1) / 2).min(channels - 1);
            for i in 0..inner {
                let at = |c: usize| values[(image * channels + c) * inner + i];
                let energy: f64 = (first..=last).map(|c| at(c).powi(2)).sum();
                out.push(at(c) / (k + alpha / size as f64 * energy).powf(beta));
            }
        }
    }
    Ok(vec![RefTensor::floats(x.dtype, &x.shape, out)])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    fn kernel<T: Float>(slot: usize, sizes: [usize; 3], params: [f32; 3]) -> CpuKernel {
        CpuKernel::new(move |call| {
            let (x, out) = (bytes_as::<T>(call.read(slot)?), bytes_as_mut::<T>(output(call.outputs)?));
            local_response_norm(sizes, params, x, out, call.pool);
            Ok(())
        })
    }
    let (x, slot) = (cx.ty("x")?, cx.need("x")?);
    let size = cx.view.int("size").and_then(|n| usize::try_from(n).ok()).filter(|&n| n > 0);
    let (&[_, channels, ref spatial @ ..], Some(size)) = (x.shape.as_slice(), size) else {
        return Err(cx.unplanned("size"));
    };
    let params = [scalar(cx, "alpha")?, scalar(cx, "beta")?, scalar(cx, "k")?];
    let sizes = [channels, spatial.iter().product(), size];
    for_float!(cx, "x", x.dtype, T => Ok(kernel::<T>(slot, sizes, params)))
}
