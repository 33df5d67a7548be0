//! `inverse`, `log` and `rsqrt`: functions of one tensor to which a small constant is added first.

use crate::contract::*;
use crate::support::elementwise::{each, map, same_type};
use crate::support::plan::{fusing, unary};
use mil_base::{DType, Opset, f16};
use mil_kernels::Unary;

const PAGE: &str = include_str!("epsilon.md");

macro_rules! versions {
    ($default:literal) => {
        &[
            Version::new(
                Opset::Ios15,
                &[
                    Param::tensor("x", sets::FLOAT).group("T"),
                    Param::constant("epsilon", sets::FLOAT).group("T").or(Default::Computed($default)),
                ],
            ),
            Version::new(
                Opset::Ios17,
                &[
                    Param::tensor("x", sets::FLOAT).group("T"),
                    Param::constant("epsilon", sets::FLOAT).group("U").or(Default::Computed($default)),
                ],
            ),
        ]
    };
}

const fn row(
    name: &'static str,
    versions: &'static [Version],
    reference: fn(&RefCall<'_>) -> Result<Vec<RefTensor>, Failure>,
    plan: PlanFn,
    accuracy: Accuracy,
) -> OpDef {
    OpDef {
        name,
        doc: Doc::section(PAGE, name),
        versions,
        constraints: &[],
        infer: same_type,
        reference: Reference::Rule(reference),
        cpu: fusing(plan),
        gradient: Gradient::Todo("differentiation is a later issue"),
        ane: Ane::Todo("the Neural Engine's rules are a later issue"),
        cost: |op| each(op, 2),
        accuracy,
    }
}

/// `1 / (x + epsilon)`.
pub static INVERSE: OpDef = row(
    "inverse",
    versions!("1e-4 in the dtype of x"),
    |call| shifted(call, INVERSE_EPSILON, |v| 1.0 / v),
    |cx| unary(cx, Unary::Inverse { eps: epsilon(cx, INVERSE_EPSILON)? }),
    Accuracy::ulps(3.0),
);
/// `ln(x + epsilon)`.
pub static LOG: OpDef = row(
    "log",
    versions!("1e-45 in the dtype of x, which is 0 in fp16"),
    |call| shifted(call, LOG_EPSILON, f64::ln),
    |cx| unary(cx, Unary::Log { eps: epsilon(cx, LOG_EPSILON)? }),
    Accuracy::absolute(6e-8, 3.0),
);
/// `1 / sqrt(x + epsilon)`.
pub static RSQRT: OpDef = row(
    "rsqrt",
    versions!("1e-12 in the dtype of x, which is 0 in fp16"),
    |call| shifted(call, RSQRT_EPSILON, |v| 1.0 / v.sqrt()),
    |cx| unary(cx, Unary::Rsqrt { eps: epsilon(cx, RSQRT_EPSILON)? }),
    Accuracy::ulps(4.0),
);

const INVERSE_EPSILON: f64 = 1e-4;
const LOG_EPSILON: f64 = 1e-45;
const RSQRT_EPSILON: f64 = 1e-12;

/// A default epsilon as the dtype of `x` holds it.
fn rounded(epsilon: f64, x: DType) -> f64 {
    match x {
        DType::Fp16 => f16::from_f64(epsilon).to_f64(),
        _ => f64::from(epsilon as f32),
    }
}

fn shifted(call: &RefCall<'_>, default: f64, f: impl Fn(f64) -> f64) -> Result<Vec<RefTensor>, Failure> {
    let epsilon = match call.get("epsilon") {
        Some(_) => call.float("epsilon")?,
        None => rounded(default, call.arg("x")?.dtype),
    };
    map(call, |v| f(v + epsilon))
}

/// The epsilon of a plan.
fn epsilon(cx: &CpuCx<'_>, default: f64) -> Result<f32, Failure> {
    let given = match cx.view.has("epsilon") {
        true => cx.view.float("epsilon").ok_or_else(|| cx.unplanned("epsilon"))?,
        false => rounded(default, cx.ty("x")?.dtype),
    };
    Ok(given as f32)
}
