//! fp16 at the boundary of a function whose systems cannot pass it.

use crate::lint::{Level, Lint, LintCx};
use mil_base::{DType, Opset};

/// The lint `io-not-cast`.
pub static IO_NOT_CAST: Lint = Lint {
    code: "lint/io-not-cast",
    summary: "fp16 inputs and outputs before iOS 16",
    level: Level::Warn,
    page: include_str!("io_not_cast.md"),
    run,
};

fn run(cx: &mut LintCx<'_>) {
    for (f, function) in cx.functions() {
        if cx.checked.opset(f) > Opset::Ios15 {
            continue;
        }
        for (what, cast, values) in
            [("input", "fp16", function.params()), ("output", "fp32", function.outputs())]
        {
            for &value in values {
                if cx.dtype(f, value) != Some(DType::Fp16) {
                    continue;
                }
                let message = format!(
                    "the {what} `{}` is fp16, but arrays of fp16 exist since iOS 16",
                    function.values[value].name
                );
                let help = format!("declare it fp32 and cast it to {cast} inside");
                cx.port(f, value, message, &help);
            }
        }
    }
}
