//! `while_loop`: a block repeated while a condition holds.

use crate::contract::*;
use crate::support::blocks::{joined, results};
use mil_base::{DType, Opset, Type};

/// The card of `while_loop`.
pub static WHILE_LOOP: OpDef = OpDef {
    name: "while_loop",
    doc: Doc::page(include_str!("while_loop.md")),
    versions: &[Version::new(Opset::Ios15, &[Param::variadic("loop_vars", sets::ANY)])
        .outputs(Outputs::Varies("one for each loop variable"))],
    constraints: &[
        Constraint {
            slug: "while_loop/two-blocks",
            rule: "there are two blocks, condition and body, each with one parameter for each loop variable",
        },
        Constraint { slug: "while_loop/condition", rule: "the condition yields one bool" },
        Constraint {
            slug: "while_loop/body-types",
            rule: "the body yields one value for each loop variable, of its type; only sizes may change",
        },
    ],
    infer,
    reference: Reference::Runtime("runs the body while the condition holds"),
    cpu: Cpu::Runtime("runs the body while the condition holds"),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Never("control flow runs on the host"),
    cost: |_| None,
    accuracy: Accuracy::EXACT,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let view = cx.view();
    let variables = cx.bindings("loop_vars").len();
    let blocks: Vec<_> = view.op().blocks.iter().filter_map(|&b| view.function.blocks.get(b)).collect();
    let [condition, body] = blocks.as_slice() else {
        let message = format!("there are {} blocks", blocks.len());
        return Err(cx.refuse("while_loop/two-blocks", "", message, "write the condition, then the body"));
    };
    if condition.params.len() != variables || body.params.len() != variables {
        let message = format!(
            "{variables} loop variables meet {} and {} parameters",
            condition.params.len(),
            body.params.len()
        );
        let help = "give each block one parameter for each loop variable";
        return Err(cx.refuse("while_loop/two-blocks", "loop_vars", message, help));
    }
    let more = results(view, condition);
    let one_bool = |t: &Type| {
        t.as_tensor().is_some_and(|t| t.dtype == DType::Bool && matches!(t.shape.count(), Some(1) | None))
    };
    if !matches!(more.as_slice(), [Some(ty)] if one_bool(ty)) {
        let help = "compare the loop variables, with `less` for example";
        cx.report("while_loop/condition", "", "the condition does not yield one bool", help);
    }
    let yields = results(view, body);
    let params = body.params.iter().map(|p| view.types.get(p.index()).and_then(Option::as_ref));
    let types: Option<Vec<Type>> = if yields.len() == variables {
        yields.iter().zip(params).map(|(a, b)| joined(*a, b)).collect()
    } else {
        None
    };
    types.ok_or_else(|| {
        let message =
            format!("the body yields {} values of other types than its {variables} parameters", yields.len());
        let help = "yield each loop variable in order, with its own dtype and rank";
        cx.refuse("while_loop/body-types", "", message, help)
    })
}
