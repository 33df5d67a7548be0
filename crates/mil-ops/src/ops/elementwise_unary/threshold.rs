//! `threshold`: values limited from below.

use crate::contract::*;
use crate::support::elementwise::{at_least, each, map_numbers, same_type_scalar_parameters};
use mil_base::Opset;

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
    cpu: Cpu::Reference("the kernel is not connected yet"),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |op| each(op, 1),
    accuracy: Accuracy::EXACT,
};

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (float, int) = (call.float("alpha")?, call.int("alpha")?);
    map_numbers(call, |v| at_least(v, float), |v| v.max(int))
}
