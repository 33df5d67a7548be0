//! Inputs that nothing uses.

use crate::lint::{Level, Lint, LintCx};

/// The lint `unused-input`.
pub static UNUSED_INPUT: Lint = Lint {
    code: "lint/unused-input",
    summary: "inputs of a function that nothing uses",
    level: Level::Warn,
    page: include_str!("unused_input.md"),
    run,
};

fn run(cx: &mut LintCx<'_>) {
    for (f, function) in cx.functions() {
        let uses = mil_ir::uses(function);
        for &param in function.params().iter().filter(|p| uses[p.index()] == 0) {
            let message = format!("nothing uses the input `{}`", function.values[param].name);
            cx.port(f, param, message, "remove it, in the model's description too");
        }
    }
}
