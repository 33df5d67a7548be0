//! Ops whose results nothing uses.

use crate::lint::{Level, Lint, LintCx};

/// The lint `unused-value`.
pub static UNUSED_VALUE: Lint = Lint {
    code: "lint/unused-value",
    summary: "results that nothing uses",
    level: Level::Warn,
    page: include_str!("unused_value.md"),
    run,
};

fn run(cx: &mut LintCx<'_>) {
    for (f, function) in cx.functions() {
        let uses = mil_ir::uses(function);
        for op in mil_ir::ops_in_order(function) {
            let outputs = &function.ops[op].outputs;
            if outputs.is_empty() || outputs.iter().any(|v| uses[v.index()] > 0) {
                continue;
            }
            let message = format!("nothing uses `{}`", function.values[outputs[0]].name);
            cx.op(f, op, None, message, "remove the op, or return what it gives");
        }
    }
}
