//! `clip`: values limited to an interval.

use crate::contract::*;
use crate::support::elementwise::{at_least, at_most, each, map, same_type_scalar_parameters};
use crate::support::plan::{fusible, post, scalar, unary};
use mil_base::{Opset, Type};
use mil_kernels::Unary;

const PARAMS: &[Param] = &[
    Param::tensor("x", sets::FLOAT).group("T"),
    Param::constant("alpha", sets::FLOAT).group("T"),
    Param::constant("beta", sets::FLOAT).group("T"),
];

/// The card of `clip`.
pub static CLIP: OpDef = OpDef {
    name: "clip",
    doc: Doc::page(include_str!("clip.md")),
    versions: &[Version::new(Opset::Ios15, PARAMS), Version::new(Opset::Ios17, PARAMS)],
    constraints: &[
        Constraint { slug: "clip/parameters-are-scalars", rule: "alpha and beta are one value each" },
        Constraint {
            slug: "clip/alpha-below-beta",
            rule: "from iOS 17 on, alpha is less than beta (coremltools, iOS17 clip)",
        },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: fusible(plan, as_post),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |op| each(op, 2),
    accuracy: Accuracy::EXACT,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    if cx.version.since >= Opset::Ios17
        && let (Some(alpha), Some(beta)) = (cx.float("alpha"), cx.float("beta"))
        && alpha >= beta
    {
        cx.report(
            "clip/alpha-below-beta",
            "alpha",
            format!("`alpha` is {alpha} and `beta` is {beta}"),
            "give the lower limit as `alpha` and the upper limit as `beta`",
        );
    }
    same_type_scalar_parameters(cx)
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (alpha, beta) = (call.float("alpha")?, call.float("beta")?);
    map(call, |v| at_most(at_least(v, alpha), beta))
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    unary(cx, Unary::Clip { lo: scalar(cx, "alpha")?, hi: scalar(cx, "beta")? })
}

fn as_post(cx: &CpuCx<'_>, slot: usize) -> Option<PostOp> {
    post(cx, slot, PostOp::Clip { lo: scalar(cx, "alpha").ok()?, hi: scalar(cx, "beta").ok()? })
}
