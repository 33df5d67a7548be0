//! Weights that are written into the program.

use crate::lint::{Level, Lint, LintCx};
use mil_ir::Binding;

/// The lint `huge-literal`.
pub static HUGE_LITERAL: Lint = Lint {
    code: "lint/huge-literal",
    summary: "weights written as literals",
    level: Level::Warn,
    page: include_str!("huge_literal.md"),
    run,
};

/// Literals of more bytes belong into a weight file.
const LARGEST: usize = 4096;

fn run(cx: &mut LintCx<'_>) {
    for (f, op) in cx.ops() {
        let op_ref = &cx.program().functions[f].ops[op];
        let bound = op_ref.args.iter().flat_map(|(name, arg)| arg.0.iter().map(move |b| (name, b)));
        let immediate = bound.filter_map(|(name, b)| match b {
            Binding::Constant(c) => Some((name, c)),
            Binding::Value(_) => None,
        });
        let attributes = op_ref.attributes.iter().map(|(name, c)| (name, c));
        for (name, constant) in immediate.chain(attributes) {
            let Some(bytes) = constant.as_tensor().map(|t| t.bytes().len()).filter(|n| *n > LARGEST) else {
                continue;
            };
            let message = format!("`{name}` is a literal of {bytes} bytes");
            cx.op(
                f,
                op,
                Some(name),
                message,
                "keep it in a weight file: it is then mapped, not parsed and copied",
            );
        }
    }
}
