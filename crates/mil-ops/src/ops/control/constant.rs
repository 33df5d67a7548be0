//! `const`: a value written in the program or kept in a weight file.

use crate::contract::*;
use mil_base::{Opset, Type};

/// The card of `const`.
pub static CONST: OpDef = OpDef {
    name: "const",
    doc: Doc::page(include_str!("constant.md")),
    versions: &[Version::new(Opset::Ios15, &[Param::constant("val", sets::ANY)])],
    constraints: &[],
    infer,
    reference: Reference::Rule(|call| Ok(vec![call.arg("val")?.clone()])),
    cpu: Cpu::kernel(|cx| Ok(CpuKernel::view(cx.need("val")?))),
    gradient: Gradient::Zero,
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    match cx.any_ty("val") {
        Some(ty) => Ok(vec![ty.clone()]),
        None => Err(cx.unknown("val")),
    }
}
