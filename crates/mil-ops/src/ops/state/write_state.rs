//! `write_state`: new contents for a state.

use crate::contract::*;
use mil_base::{Opset, Type};

/// The card of `write_state`. coremltools does not know it: it writes `coreml_update_state` as this op and a
/// `read_state`.
pub static WRITE_STATE: OpDef = OpDef {
    name: "write_state",
    doc: Doc::page(include_str!("write_state.md")),
    versions: &[Version::new(
        Opset::Ios18,
        &[Param::state("input", sets::ANY).alias("state"), Param::tensor("data", sets::ANY)],
    )
    .outputs(Outputs::Exactly(0))],
    constraints: &[Constraint {
        slug: "write_state/same-type",
        rule: "data has the type of the tensor that the state holds",
    }],
    infer,
    reference: Reference::Runtime("keeps the tensor in the session"),
    cpu: Cpu::Runtime("keeps the tensor in the session"),
    gradient: Gradient::None("a state is outside the function"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let data = cx.need("data")?;
    let Some(Type::State(inner)) = cx.any_ty("input") else { return Err(cx.unknown("input")) };
    let fits = inner.as_tensor().is_some_and(|t| t.dtype == data.dtype && t.shape.may_equal(&data.shape));
    if !fits {
        let message = format!("the state holds {inner} but `data` is {data}");
        return Err(cx.refuse("write_state/same-type", "data", message, format!("write a {inner}")));
    }
    Ok(Vec::new())
}
