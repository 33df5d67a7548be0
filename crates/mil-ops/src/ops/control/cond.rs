//! `cond`: one of two blocks.

use crate::contract::*;
use crate::support::blocks::{joined, results};
use mil_base::{Opset, Type};

/// The card of `cond`.
pub static COND: OpDef = OpDef {
    name: "cond",
    doc: Doc::page(include_str!("cond.md")),
    versions: &[Version::new(Opset::Ios15, &[Param::tensor("pred", sets::BOOL)])
        .outputs(Outputs::Varies("one for each result of the blocks"))],
    constraints: &[
        Constraint { slug: "cond/scalar-pred", rule: "pred is one bool" },
        Constraint {
            slug: "cond/two-blocks",
            rule: "there are two blocks, for true and for false, without parameters",
        },
        Constraint { slug: "cond/same-results", rule: "both blocks yield as many values, of the same types" },
    ],
    infer,
    reference: Reference::Runtime("runs the block that pred chooses"),
    cpu: Cpu::Runtime("runs the block that pred chooses"),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Never("control flow runs on the host"),
    cost: |_| None,
    accuracy: Accuracy::EXACT,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let pred = cx.need("pred")?;
    if pred.shape.rank() != 0 && pred.shape.count() != Some(1) {
        let message = format!("`pred` is {pred}");
        cx.report("cond/scalar-pred", "pred", message, "give one bool");
    }
    let view = cx.view();
    let blocks: Vec<_> = view.op().blocks.iter().filter_map(|&b| view.function.blocks.get(b)).collect();
    let [yes, no] = blocks.as_slice() else {
        let message = format!("there are {} blocks", blocks.len());
        return Err(cx.refuse(
            "cond/two-blocks",
            "",
            message,
            "write the block for true, then the one for false",
        ));
    };
    if !yes.params.is_empty() || !no.params.is_empty() {
        let help = "blocks of `cond` see the values around them and need no parameters";
        return Err(cx.refuse("cond/two-blocks", "", "a block has parameters", help));
    }
    let (yes, no) = (results(view, yes), results(view, no));
    let types: Option<Vec<Type>> =
        if yes.len() == no.len() { yes.iter().zip(&no).map(|(a, b)| joined(*a, *b)).collect() } else { None };
    types.ok_or_else(|| {
        let list = |types: &[Option<&Type>]| {
            let names = types.iter().map(|t| t.map_or("?".to_owned(), Type::to_string));
            names.collect::<Vec<_>>().join(", ")
        };
        let message = format!("the blocks yield ({}) and ({})", list(&yes), list(&no));
        cx.refuse("cond/same-results", "", message, "let both blocks yield the same types")
    })
}
