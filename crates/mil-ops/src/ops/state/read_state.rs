//! `read_state`: the contents of a state.

use crate::contract::*;
use mil_base::{Opset, Type};

/// The card of `read_state`.
pub static READ_STATE: OpDef = OpDef {
    name: "read_state",
    doc: Doc::page(include_str!("read_state.md")),
    versions: &[Version::new(Opset::Ios18, &[Param::state("input", sets::ANY).alias("state")])],
    constraints: &[],
    infer: |cx| match cx.any_ty("input") {
        Some(Type::State(inner)) if inner.as_tensor().is_some() => Ok(vec![(**inner).clone()]),
        _ => Err(cx.unknown("input")),
    },
    reference: Reference::Runtime("gives the tensor that the session keeps for the state"),
    cpu: Cpu::Runtime("gives the tensor that the session keeps for the state"),
    gradient: Gradient::Zero,
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};
