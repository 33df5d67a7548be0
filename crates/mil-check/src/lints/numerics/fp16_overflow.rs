//! fp16 ops that overflow for inputs of ordinary size.

use crate::lint::{Level, Lint, LintCx};
use mil_base::DType;

/// The lint `fp16-overflow`.
pub static FP16_OVERFLOW: Lint = Lint {
    code: "lint/fp16-overflow",
    summary: "fp16 ops that overflow for ordinary inputs",
    level: Level::Allow,
    page: include_str!("fp16_overflow.md"),
    run,
};

/// Ops with the input beyond which an fp16 result is infinite (65504 is the largest value).
const PRONE: &[(&str, &str)] = &[
    ("exp", "an input above 11.09"),
    ("exp2", "an input of 16"),
    ("sinh", "an input above 11.8"),
    ("cosh", "an input above 11.8"),
    ("square", "an input of 256"),
    ("pow", "256 to the power of 2"),
    ("reduce_sum_square", "one element of 256, or 65536 of 1"),
    ("reduce_prod", "16 factors of 2"),
    ("reduce_log_sum", "a sum above 65504"),
    ("cumsum", "a sum above 65504"),
];

fn run(cx: &mut LintCx<'_>) {
    for (f, op) in cx.ops() {
        let name = &cx.program().functions[f].ops[op].name;
        let Some((_, when)) = PRONE.iter().find(|(prone, _)| *prone == &**name) else { continue };
        let output = cx.program().functions[f].ops[op].outputs.first();
        let half =
            output.is_some_and(|&v| cx.dtype(f, v) == Some(DType::Fp16) && !cx.checked.is_constant(f, v));
        if half {
            let message = format!("`{name}` in fp16 overflows for {when}");
            cx.op(f, op, None, message, "scale its input down, or compute this part in fp32");
        }
    }
}
