//! An epsilon that fp16 rounds away.

use crate::lint::{Level, Lint, LintCx};
use mil_base::DType;

/// The lint `fp16-epsilon-vanishes`.
pub static FP16_EPSILON_VANISHES: Lint = Lint {
    code: "lint/fp16-epsilon-vanishes",
    summary: "an fp16 epsilon that is zero",
    level: Level::Warn,
    page: include_str!("fp16_epsilon_vanishes.md"),
    run,
};

fn run(cx: &mut LintCx<'_>) {
    for (f, op) in cx.ops() {
        let Some(view) = cx.checked.view(f, op) else { continue };
        let Some(epsilon) = view.tensor("epsilon").filter(|t| t.dtype() == DType::Fp16) else { continue };
        if epsilon.item_f64().is_some_and(|v| v.abs() < FEWEST_DIGITS) {
            let message = format!("`epsilon` is {:e} in fp16", epsilon.item_f64().unwrap_or_default());
            cx.op(f, op, Some(&"epsilon".into()), message, "use 1e-5 or more, or compute this op in fp32");
        }
    }
}

/// Eight times the smallest fp16 value: below, an epsilon is zero or a guess.
const FEWEST_DIGITS: f64 = 8.0 / 16_777_216.0;
