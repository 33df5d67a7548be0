//! `gelu`: the Gaussian error linear unit, exact or in one of two approximations.

use crate::contract::*;
use crate::support::elementwise::{each, map, same_type, sigmoid};
use crate::support::plan::{fusible, post, unary};
use mil_base::{Opset, Type};
use mil_kernels::Unary;

/// The card of `gelu`.
pub static GELU: OpDef = OpDef {
    name: "gelu",
    doc: Doc::page(include_str!("gelu.md")),
    versions: &[Version::new(
        Opset::Ios15,
        &[
            Param::tensor("x", sets::FLOAT).group("T"),
            Param::constant("mode", sets::STRING).or(Default::Str("EXACT")),
        ],
    )],
    constraints: &[Constraint {
        slug: "gelu/mode-known",
        rule: "mode is EXACT, TANH_APPROXIMATION or SIGMOID_APPROXIMATION",
    }],
    infer,
    reference: Reference::Rule(reference),
    cpu: fusible(plan, as_post),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |op| each(op, 8),
    accuracy: Accuracy::absolute(2e-7, 4.0),
};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    Exact,
    Tanh,
    Sigmoid,
}

impl Mode {
    fn parse(text: &str) -> Option<Mode> {
        match text {
            "EXACT" => Some(Mode::Exact),
            "TANH_APPROXIMATION" => Some(Mode::Tanh),
            "SIGMOID_APPROXIMATION" => Some(Mode::Sigmoid),
            _ => None,
        }
    }
}

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let mode = cx.need_str("mode")?;
    if Mode::parse(&mode).is_none() {
        cx.report(
            "gelu/mode-known",
            "mode",
            format!("`gelu` has no mode `{mode}`"),
            "use EXACT, TANH_APPROXIMATION or SIGMOID_APPROXIMATION",
        );
    }
    same_type(cx)
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let mode = call.str("mode")?;
    match Mode::parse(&mode) {
        Some(Mode::Exact) => map(call, |v| 0.5 * v * (1.0 + libm::erf(v / 2f64.sqrt()))),
        Some(Mode::Tanh) => map(call, |v| {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (v + 0.044715 * v.powi(3));
            0.5 * v * (1.0 + inner.tanh())
        }),
        Some(Mode::Sigmoid) => map(call, |v| v * sigmoid(1.702 * v)),
        None => Err(Failure::new("gelu/mode-known", format!("`gelu` has no mode `{mode}`"))),
    }
}

fn mode(cx: &CpuCx<'_>) -> Option<Mode> {
    Mode::parse(&cx.view.str("mode")?)
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    match mode(cx).ok_or_else(|| cx.unplanned("mode"))? {
        Mode::Exact => unary(cx, Unary::Gelu),
        Mode::Tanh => unary(cx, Unary::GeluTanh),
        Mode::Sigmoid => unary(cx, Unary::GeluSigmoid),
    }
}

fn as_post(cx: &CpuCx<'_>, slot: usize) -> Option<PostOp> {
    let step = match mode(cx)? {
        Mode::Exact => PostOp::GeluExact,
        Mode::Tanh => PostOp::GeluTanh,
        Mode::Sigmoid => PostOp::GeluSigmoid,
    };
    post(cx, slot, step)
}
