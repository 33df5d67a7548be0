//! Activations without parameters, a row each.

use crate::contract::*;
use crate::support::elementwise::{OF_FLOATS, at_least, at_most, each, map, same_type, sigmoid, softplus};
use crate::support::plan::{fusible, fusing, post, unary};
use mil_kernels::Unary;

const PAGE: &str = include_str!("plain.md");

const fn row(
    name: &'static str,
    reference: fn(&RefCall<'_>) -> Result<Vec<RefTensor>, Failure>,
    cpu: Cpu,
    flops: fn(&OpView<'_>) -> Option<u64>,
    accuracy: Accuracy,
) -> OpDef {
    OpDef {
        name,
        doc: Doc::section(PAGE, name),
        versions: OF_FLOATS,
        constraints: &[],
        infer: same_type,
        reference: Reference::Rule(reference),
        cpu,
        gradient: Gradient::Todo("differentiation is a later issue"),
        ane: Ane::Todo("the Neural Engine's rules are a later issue"),
        cost: flops,
        accuracy,
    }
}

/// `max(x, 0)`.
pub static RELU: OpDef = row(
    "relu",
    |c| map(c, |v| at_least(v, 0.0)),
    fusible(|cx| unary(cx, Unary::Relu), |cx, slot| post(cx, slot, PostOp::Relu)),
    |op| each(op, 1),
    Accuracy::EXACT,
);
/// `min(max(x, 0), 6)`.
pub static RELU6: OpDef = row(
    "relu6",
    |c| map(c, |v| at_most(at_least(v, 0.0), 6.0)),
    fusible(|cx| unary(cx, Unary::Relu6), |cx, slot| post(cx, slot, PostOp::Clip { lo: 0.0, hi: 6.0 })),
    |op| each(op, 2),
    Accuracy::EXACT,
);
/// `1 / (1 + exp(-x))`.
pub static SIGMOID: OpDef = row(
    "sigmoid",
    |c| map(c, sigmoid),
    fusible(|cx| unary(cx, Unary::Sigmoid), |cx, slot| post(cx, slot, PostOp::Sigmoid)),
    |op| each(op, 4),
    Accuracy::absolute(f32::MIN_POSITIVE as f64, 5.0),
);
/// `x * sigmoid(x)`.
pub static SILU: OpDef = row(
    "silu",
    |c| map(c, |v| v * sigmoid(v)),
    fusible(|cx| unary(cx, Unary::Silu), |cx, slot| post(cx, slot, PostOp::Silu)),
    |op| each(op, 5),
    Accuracy::absolute(3e-37, 6.0),
);
/// `ln(1 + exp(x))`.
pub static SOFTPLUS: OpDef = row(
    "softplus",
    |c| map(c, softplus),
    fusing(|cx| unary(cx, Unary::Softplus)),
    |op| each(op, 3),
    Accuracy::absolute(f32::MIN_POSITIVE as f64, 5.0),
);
/// `x / (1 + |x|)`.
pub static SOFTSIGN: OpDef = row(
    "softsign",
    |c| map(c, |v| v / (1.0 + v.abs())),
    fusing(|cx| unary(cx, Unary::Softsign)),
    |op| each(op, 3),
    Accuracy::ulps(3.0),
);
