//! `rnn`: the plain recurrent cell.

use super::common::*;
use super::kernel;
use crate::contract::*;
use mil_base::{DType, DTypes, Opset, Type};
use mil_kernels::recurrent::Cell;

/// The card of `rnn`.
pub static RNN: OpDef = OpDef {
    name: "rnn",
    doc: Doc::page(include_str!("rnn.md")),
    versions: &[
        Version::new(Opset::Ios15, &IOS15).outputs(Outputs::Exactly(2)),
        Version::new(Opset::Ios17, &IOS17).outputs(Outputs::Exactly(2)),
    ],
    constraints: &[
        Constraint {
            slug: "rnn/shapes",
            rule: "x is [steps, batch, inputs], weight_ih [hidden, inputs], weight_hh [hidden, hidden], bias [hidden], initial_h [batch, hidden]",
        },
        Constraint { slug: "rnn/direction", rule: "direction is forward or reverse" },
        Constraint { slug: "rnn/activation", rule: "activation is one of the six of recurrent ops" },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |op| cost(op, 1),
    accuracy: Accuracy::sum(2.5e-6),
};

const IOS15: [Param; 8] = params(DTypes::of(&[DType::Fp32]));
const IOS17: [Param; 8] = params(sets::FLOAT);

const fn params(floats: DTypes) -> [Param; 8] {
    [
        Param::tensor("x", floats).group("T"),
        Param::tensor("initial_h", floats).group("T"),
        Param::constant("weight_ih", floats).group("T"),
        Param::constant("weight_hh", floats).group("T"),
        Param::constant("bias", floats).group("T").or(Default::Absent),
        Param::constant("direction", sets::STRING).or(Default::Str("forward")),
        Param::constant("output_sequence", sets::BOOL).or(Default::Bool(false)),
        Param::constant("activation", sets::STRING).or(Default::Str("tanh")),
    ]
}

const SLUGS: Slugs = Slugs { shapes: "rnn/shapes", direction: "rnn/direction", activation: "rnn/activation" };

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    need_direction(cx, &SLUGS, false)?;
    check_activations(cx, &SLUGS, &["activation"])?;
    let sizes = check_sizes(cx, &SLUGS, 1, 1)?;
    outputs(cx, &sizes, 1, 1)
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let activation = Activation::read(call, "activation")?;
    let weights = Weights::read(call, "", 1)?;
    let x = Sequence::read(call, weights.inputs)?;
    let mut h = state(call, "initial_h", [x.batch, 1, weights.hidden], 0)?;
    let cell = |x: &[f64], h: &[f64]| {
        (0..weights.hidden).map(|j| activation.apply(weights.sum(0, j, x, h))).collect::<Vec<f64>>()
    };
    let mut states = Vec::new();
    for t in 0..x.steps {
        let t = if Direction::read(call) == Some(Direction::Reverse) { x.steps - 1 - t } else { t };
        h = h.iter().enumerate().map(|(b, h)| cell(x.step(t, b), h)).collect();
        states.push(h.clone());
    }
    one_direction(call, &states, &h, [x.batch, weights.hidden])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let cell = Cell::Plain { activation: Activation::read(&cx.view, "activation")?.kernel() };
    kernel::plan(cx, cell)
}
