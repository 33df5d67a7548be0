//! `prelu` and `softplus_parametric`: activations whose parameters belong to the channels, dimension 1.

use super::parametric::{ALPHA, ALPHA_BETA};
use crate::contract::*;
use crate::support::axes::Around;
use crate::support::elementwise::{each, same_type, softplus};
use crate::support::plan::{channels, fusing};
use mil_base::{TensorType, Type};
use mil_kernels::Unary;

const PAGE: &str = include_str!("per_channel.md");

/// Equal alphas of `prelu` may differ by this much (coremltools, iOS15 prelu).
const SAME_ALPHA: f64 = 1e-5;

/// `x`, or below zero `alpha * x`, by channel.
pub static PRELU: OpDef = OpDef {
    name: "prelu",
    doc: Doc::section(PAGE, "prelu"),
    versions: ALPHA,
    constraints: &[
        Constraint { slug: "prelu/rank-3-to-5", rule: "x has rank 3, 4 or 5" },
        Constraint {
            slug: "prelu/one-per-channel",
            rule: "alpha has rank 1 and the size of x along dimension 1",
        },
        Constraint {
            slug: "prelu/one-alpha-unless-rank-4",
            rule: "where x has rank 3 or 5, all elements of alpha are equal (coremltools, iOS15 prelu)",
        },
    ],
    infer: infer_prelu,
    reference: Reference::Rule(|call| {
        let alpha = call.arg("alpha")?.f64s();
        by_channel(call, |v, c| Some(if v < 0.0 { alpha.get(c)? * v } else { v }))
    }),
    cpu: fusing(plan_prelu),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |op| each(op, 1),
    accuracy: Accuracy::ROUNDED,
};

/// `alpha * ln(1 + exp(beta * x))`, by channel.
pub static SOFTPLUS_PARAMETRIC: OpDef = OpDef {
    name: "softplus_parametric",
    doc: Doc::section(PAGE, "softplus_parametric"),
    versions: ALPHA_BETA,
    constraints: &[
        Constraint { slug: "softplus_parametric/rank-3-or-more", rule: "x has rank 3 or more" },
        Constraint {
            slug: "softplus_parametric/one-per-channel",
            rule: "alpha and beta have rank 1 and the size of x along dimension 1",
        },
    ],
    infer: infer_softplus,
    reference: Reference::Rule(|call| {
        let (alpha, beta) = (call.arg("alpha")?.f64s(), call.arg("beta")?.f64s());
        by_channel(call, |v, c| Some(alpha.get(c)? * softplus(beta.get(c)? * v)))
    }),
    cpu: fusing(plan_softplus),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |op| each(op, 5),
    // The product beta x is rounded, and its exponential is off by as many half-units as that product is large: up to 88.
    accuracy: Accuracy::absolute(f32::MIN_POSITIVE as f64, 90.0),
};

fn infer_prelu(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    let rank = x.shape.rank();
    if !(3..=5).contains(&rank) {
        return Err(cx.refuse(
            "prelu/rank-3-to-5",
            "x",
            format!("`x` has rank {rank}"),
            "reshape it so that the channels are dimension 1 of 3, 4 or 5",
        ));
    }
    one_per_channel(cx, "alpha", x)?;
    if rank != 4
        && let Some(alpha) = cx.tensor("alpha")
        && let [first, rest @ ..] = alpha.to_f64().as_slice()
        && rest.iter().any(|a| (a - first).abs() > SAME_ALPHA)
    {
        cx.report(
            "prelu/one-alpha-unless-rank-4",
            "alpha",
            format!("`x` has rank {rank} and `alpha` has different elements"),
            "reshape `x` to rank 4",
        );
    }
    same_type(cx)
}

fn infer_softplus(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    if x.shape.rank() < 3 {
        return Err(cx.refuse(
            "softplus_parametric/rank-3-or-more",
            "x",
            format!("`x` has rank {}", x.shape.rank()),
            "reshape it so that the channels are dimension 1 of 3 or more",
        ));
    }
    one_per_channel(cx, "alpha", x)?;
    one_per_channel(cx, "beta", x)?;
    same_type(cx)
}

/// The parameter has rank 1 and the size of dimension 1 of `x`.
fn one_per_channel(cx: &mut Infer<'_>, name: &str, x: &TensorType) -> Result<(), Refused> {
    let channels = x.shape[1];
    let ty = cx.need(name)?;
    if ty.shape.rank() != 1 || !ty.shape[0].may_equal(channels) {
        cx.report(
            cx.slug("one-per-channel"),
            name,
            format!("`{name}` is {} but x has {channels} channels", ty.shape),
            format!("give `{name}` the shape [{channels}]"),
        );
    }
    Ok(())
}

/// `f` of every element and its channel; nothing where the parameters have no such channel.
fn by_channel(call: &RefCall<'_>, f: impl Fn(f64, usize) -> Option<f64>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let Around { along, after, .. } = Around::new(&x.shape, 1);
    let channel = |at: usize| at / after.max(1) % along.max(1);
    let values: Option<Vec<f64>> =
        x.f64s().into_iter().enumerate().map(|(at, v)| f(v, channel(at))).collect();
    let values = values
        .ok_or_else(|| Failure::new("op/shapes-differ", "a parameter has fewer elements than x channels"))?;
    Ok(vec![RefTensor::floats(x.dtype, &x.shape, values)])
}

/// The elements of a parameter of a plan.
fn parameter(cx: &CpuCx<'_>, name: &str) -> Result<Vec<f32>, Failure> {
    let values = cx.tensor(name).ok_or_else(|| cx.unplanned(name))?.to_f64();
    if cx.ty("x")?.shape.get(1) != Some(&values.len()) {
        return Err(cx.unplanned(name));
    }
    Ok(values.into_iter().map(|v| v as f32).collect())
}

fn plan_prelu(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let ops = parameter(cx, "alpha")?.into_iter().map(Unary::LeakyRelu).collect();
    channels(cx, ops, Around::new(&cx.ty("x")?.shape, 1).after)
}

fn plan_softplus(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let pairs = parameter(cx, "alpha")?.into_iter().zip(parameter(cx, "beta")?);
    let ops = pairs.map(|(a, b)| Unary::SoftplusParametric { a, b }).collect();
    channels(cx, ops, Around::new(&cx.ty("x")?.shape, 1).after)
}
