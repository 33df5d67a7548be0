//! Weights kept in fp16 and used in fp32.

use crate::lint::{Level, Lint, LintCx};
use mil_base::DType;

/// The lint `fp16-weights-widened`.
pub static FP16_WEIGHTS_WIDENED: Lint = Lint {
    code: "lint/fp16-weights-widened",
    summary: "fp16 constants that are cast to fp32",
    level: Level::Warn,
    page: include_str!("fp16_weights_widened.md"),
    run,
};

fn run(cx: &mut LintCx<'_>) {
    for (f, op) in cx.ops() {
        if &*cx.program().functions[f].ops[op].name != "cast" {
            continue;
        }
        let Some(x) = cx.inputs(f, op).find(|&v| cx.dtype(f, v) == Some(DType::Fp16)) else { continue };
        let output = cx.program().functions[f].ops[op].outputs.first();
        let wide = output.is_some_and(|&v| cx.dtype(f, v) == Some(DType::Fp32));
        if !wide || !cx.checked.is_constant(f, x) {
            continue;
        }
        let name = &cx.program().functions[f].values[x].name;
        let message = format!("the fp16 constant `{name}` is cast to fp32");
        cx.op(f, op, None, message, "compute in fp16 and cast the activations, or keep the constant in fp32");
    }
}
