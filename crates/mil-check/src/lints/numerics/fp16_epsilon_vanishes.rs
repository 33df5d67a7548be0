//! An epsilon that fp16 rounds to nothing.

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
        if epsilon.item_f64().is_some_and(|v| v.abs() < SMALLEST_NORMAL) {
            let message = format!("`epsilon` is {:e} in fp16", epsilon.item_f64().unwrap_or_default());
            cx.op(
                f,
                op,
                Some(&"epsilon".into()),
                message,
                "use at least 6.2e-5, the smallest normal fp16 value",
            );
        }
    }
}

/// Values below may be flushed to zero, and have few digits where they are not.
const SMALLEST_NORMAL: f64 = 1.0 / 16384.0;
