//! Activations with one or two scalar parameters, a row each.

use crate::contract::*;
use crate::support::elementwise::{at_least, at_most, each, map, same_type_scalar_parameters};
use crate::support::plan::{fusible, fusing, post, scalar, unary};
use mil_base::Opset;
use mil_kernels::Unary;

const PAGE: &str = include_str!("parametric.md");

const X: Param = Param::tensor("x", sets::FLOAT).group("T");

/// `x` with a parameter, which iOS 17 lets have another dtype.
pub(super) const ALPHA: &[Version] = &[
    Version::new(Opset::Ios15, &[X, Param::constant("alpha", sets::FLOAT).group("T")]),
    Version::new(Opset::Ios17, &[X, Param::constant("alpha", sets::FLOAT).group("U")]),
];

/// The same with two parameters of one dtype.
pub(super) const ALPHA_BETA: &[Version] =
    &[Version::new(Opset::Ios15, &alpha_beta("T")), Version::new(Opset::Ios17, &alpha_beta("U"))];

const fn alpha_beta(group: &'static str) -> [Param; 3] {
    let alpha = Param::constant("alpha", sets::FLOAT).group(group);
    [X, alpha, Param::constant("beta", sets::FLOAT).group(group)]
}

macro_rules! row {
    ($name:literal, $versions:expr, $reference:expr, $cpu:expr, $flops:literal, $accuracy:expr) => {
        OpDef {
            name: $name,
            doc: Doc::section(PAGE, $name),
            versions: $versions,
            constraints: &[Constraint {
                slug: concat!($name, "/parameters-are-scalars"),
                rule: "alpha, and beta where there is one, are one value each",
            }],
            infer: same_type_scalar_parameters,
            reference: Reference::Rule($reference),
            cpu: $cpu,
            gradient: Gradient::Todo("differentiation is a later issue"),
            ane: Ane::Todo("the Neural Engine's rules are a later issue"),
            cost: |op| each(op, $flops),
            accuracy: $accuracy,
        }
    };
}

/// `min(x or alpha * x, beta)`.
pub static CLAMPED_RELU: OpDef = row!(
    "clamped_relu",
    ALPHA_BETA,
    |c| two(c, |v, alpha, beta| at_most(if v < 0.0 { alpha * v } else { v }, beta)),
    fusing(plan_clamped_relu),
    2,
    Accuracy::ROUNDED
);
/// `x`, or below zero `alpha * (exp(x) - 1)`.
pub static ELU: OpDef = row!(
    "elu",
    ALPHA,
    |c| one(c, |v, alpha| if v < 0.0 { alpha * v.exp_m1() } else { v }),
    fusing(|cx| unary(cx, Unary::Elu(scalar(cx, "alpha")?))),
    3,
    Accuracy::ulps(5.0)
);
/// `x`, or below zero `alpha * x`.
pub static LEAKY_RELU: OpDef = row!(
    "leaky_relu",
    ALPHA,
    |c| one(c, |v, alpha| if v < 0.0 { alpha * v } else { v }),
    fusible(|cx| unary(cx, Unary::LeakyRelu(scalar(cx, "alpha")?)), leaky_relu_post),
    1,
    Accuracy::ROUNDED
);
/// `alpha * x + beta`.
pub static LINEAR_ACTIVATION: OpDef = row!(
    "linear_activation",
    ALPHA_BETA,
    |c| two(c, |v, alpha, beta| alpha * v + beta),
    fusing(|cx| unary(cx, Unary::Linear { a: scalar(cx, "alpha")?, b: scalar(cx, "beta")? })),
    2,
    Accuracy::ROUNDED
);
/// `alpha * tanh(beta * x)`.
pub static SCALED_TANH: OpDef = row!(
    "scaled_tanh",
    ALPHA_BETA,
    |c| two(c, |v, alpha, beta| alpha * (beta * v).tanh()),
    fusing(|cx| unary(cx, Unary::ScaledTanh { a: scalar(cx, "alpha")?, b: scalar(cx, "beta")? })),
    3,
    Accuracy::ulps(6.0)
);
/// `min(max(alpha * x + beta, 0), 1)`.
pub static SIGMOID_HARD: OpDef = row!(
    "sigmoid_hard",
    ALPHA_BETA,
    |c| two(c, |v, alpha, beta| at_most(at_least(alpha * v + beta, 0.0), 1.0)),
    fusing(|cx| unary(cx, Unary::SigmoidHard { a: scalar(cx, "alpha")?, b: scalar(cx, "beta")? })),
    4,
    Accuracy::ROUNDED
);
/// `x`, or 0 where it is less than `alpha`.
pub static THRESHOLDED_RELU: OpDef = row!(
    "thresholded_relu",
    ALPHA,
    |c| one(c, |v, alpha| if v < alpha { 0.0 } else { v }),
    fusing(|cx| unary(cx, Unary::ThresholdedRelu(scalar(cx, "alpha")?))),
    1,
    Accuracy::EXACT
);

fn one(call: &RefCall<'_>, f: fn(f64, f64) -> f64) -> Result<Vec<RefTensor>, Failure> {
    let alpha = call.float("alpha")?;
    map(call, |v| f(v, alpha))
}

fn two(call: &RefCall<'_>, f: fn(f64, f64, f64) -> f64) -> Result<Vec<RefTensor>, Failure> {
    let (alpha, beta) = (call.float("alpha")?, call.float("beta")?);
    map(call, |v| f(v, alpha, beta))
}

fn plan_clamped_relu(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    unary(cx, Unary::ClampedRelu { a: scalar(cx, "alpha")?, hi: scalar(cx, "beta")? })
}

fn leaky_relu_post(cx: &CpuCx<'_>, slot: usize) -> Option<PostOp> {
    post(cx, slot, PostOp::LeakyRelu(scalar(cx, "alpha").ok()?))
}
