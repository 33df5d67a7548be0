//! Outputs that are the same in every run, or an input handed back.

use crate::lint::{Level, Lint, LintCx};

/// The lint `constant-output`.
pub static CONSTANT_OUTPUT: Lint = Lint {
    code: "lint/constant-output",
    summary: "outputs that do not depend on any input",
    level: Level::Warn,
    page: include_str!("constant_output.md"),
    run,
};

fn run(cx: &mut LintCx<'_>) {
    for (f, function) in cx.functions() {
        let params = function.params();
        for &output in function.outputs() {
            let name = &function.values[output].name;
            if cx.checked.is_constant(f, output) {
                let message = format!("the output `{name}` is the same in every run");
                cx.port(f, output, message, "ship the constant beside the model instead of computing it");
            } else if params.contains(&output) {
                let message = format!("the output `{name}` is an input handed back");
                cx.port(
                    f,
                    output,
                    message,
                    "remove the output; Core ML wants outputs made by an op (`identity` is one)",
                );
            }
        }
    }
}
