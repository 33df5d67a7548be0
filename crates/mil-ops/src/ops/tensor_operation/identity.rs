//! `identity`: its argument, under another name.

use crate::contract::*;
use mil_base::{Opset, Type};

/// The card of `identity`.
pub static IDENTITY: OpDef = OpDef {
    name: "identity",
    doc: Doc::page(include_str!("identity.md")),
    versions: &[Version::new(Opset::Ios15, &[Param::tensor("x", sets::ANY)])],
    constraints: &[],
    infer,
    reference: Reference::Rule(|call| Ok(vec![call.arg("x")?.clone()])),
    cpu: Cpu::kernel(|cx| Ok(CpuKernel::view(cx.need("x")?))),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    match cx.any_ty("x") {
        Some(ty) => Ok(vec![ty.clone()]),
        None => Err(cx.unknown("x")),
    }
}
