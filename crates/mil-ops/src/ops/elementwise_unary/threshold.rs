//! `threshold`: values limited from below.

use crate::contract::*;
use crate::support::elementwise::{at_least, each, map_numbers, same_type_scalar_parameters};
use crate::support::plan::{fusing, scalar, unary_or_int};
use mil_base::Opset;
use mil_kernels::{IntUnary, Unary};

/// The card of `threshold`.
pub static THRESHOLD: OpDef = OpDef {
    name: "threshold",
    doc: Doc::page(include_str!("threshold.md")),
    versions: &[Version::new(
        Opset::Ios15,
        &[Param::tensor("x", sets::NUMBER).group("T"), Param::constant("alpha", sets::NUMBER).group("T")],
    )],
    constraints: &[Constraint { slug: "threshold/parameters-are-scalars", rule: "alpha is one value" }],
    infer: same_type_scalar_parameters,
    reference: Reference::Rule(reference),
    cpu: fusing(plan),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |op| each(op, 1),
    accuracy: Accuracy::EXACT,
};

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (float, int) = (call.float("alpha")?, call.int("alpha")?);
    map_numbers(call, |v| at_least(v, float), |v| v.max(int))
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let lo = cx.view.int("alpha").ok_or_else(|| cx.unplanned("alpha"))?;
    unary_or_int(cx, Unary::Threshold(scalar(cx, "alpha")?), IntUnary::Clip { lo, hi: i64::from(i32::MAX) })
}
