//! Ops that compute in fp32 in a function that computes in fp16.

use crate::lint::{Level, Lint, LintCx};
use mil_base::DType;
use mil_ir::OpId;

/// The lint `fp32-interior`.
pub static FP32_INTERIOR: Lint = Lint {
    code: "lint/fp32-interior",
    summary: "fp32 ops between fp16 ones",
    level: Level::Allow,
    page: include_str!("fp32_interior.md"),
    run,
};

fn run(cx: &mut LintCx<'_>) {
    for (f, function) in cx.functions() {
        let ops = mil_ir::ops_in_order(function);
        let computes = |op: OpId, dtype: DType| {
            let op = &function.ops[op];
            !matches!(&*op.name, "const" | "cast")
                && op.outputs.iter().any(|&v| cx.dtype(f, v) == Some(dtype) && !cx.checked.is_constant(f, v))
        };
        let half = ops.iter().any(|&op| computes(op, DType::Fp16));
        let wide: Vec<OpId> = ops.into_iter().filter(|&op| half && computes(op, DType::Fp32)).collect();
        for op in wide {
            let message =
                format!("`{}` computes in fp32 while the function computes in fp16", function.ops[op].name);
            cx.op(f, op, None, message, "cast its inputs to fp16, unless the accuracy is needed");
        }
    }
}
