//! `gru`: the gated recurrent unit.

use super::common::*;
use super::kernel;
use crate::contract::*;
use mil_base::{DType, DTypes, Opset, Type};
use mil_kernels::recurrent::Cell;

/// The card of `gru`.
pub static GRU: OpDef = OpDef {
    name: "gru",
    doc: Doc::page(include_str!("gru.md")),
    versions: &[
        Version::new(Opset::Ios15, &IOS15).outputs(Outputs::Exactly(2)),
        Version::new(Opset::Ios17, &IOS17).outputs(Outputs::Exactly(2)),
        Version::new(Opset::Ios18, &IOS18).outputs(Outputs::Exactly(2)),
    ],
    constraints: &[
        Constraint {
            slug: "gru/shapes",
            rule: "x is [steps, batch, inputs], weight_ih [3 hidden, inputs], weight_hh [3 hidden, hidden], biases [3 hidden], initial_h [batch, hidden]",
        },
        Constraint { slug: "gru/direction", rule: "direction is forward or reverse" },
        Constraint {
            slug: "gru/activation",
            rule: "activation and recurrent_activation are among the six of recurrent ops",
        },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |op| cost(op, 3),
    // An update gate near 1 is rounded before it is subtracted from 1.
    accuracy: Accuracy::sum(4e-6).beside(5.9e-8),
};

const IOS15: [Param; 9] = params(DTypes::of(&[DType::Fp32]));
const IOS17: [Param; 9] = params(sets::FLOAT);
const IOS18: [Param; 11] = {
    let [a, b, c, d, e, f, g, h, i] = IOS17;
    let reset_after = Param::constant("reset_after", sets::BOOL).or(Default::Bool(false));
    let input_bias = Param::constant("input_bias", sets::FLOAT).group("T").or(Default::Absent);
    [a, b, c, d, e, f, g, h, i, reset_after, input_bias]
};

const fn params(floats: DTypes) -> [Param; 9] {
    [
        Param::tensor("x", floats).group("T"),
        Param::tensor("initial_h", floats).group("T"),
        Param::constant("weight_ih", floats).group("T"),
        Param::constant("weight_hh", floats).group("T"),
        Param::constant("bias", floats).group("T").or(Default::Absent),
        Param::constant("direction", sets::STRING).or(Default::Str("forward")),
        Param::constant("output_sequence", sets::BOOL).or(Default::Bool(false)),
        Param::constant("recurrent_activation", sets::STRING).or(Default::Str("sigmoid")),
        Param::constant("activation", sets::STRING).or(Default::Str("tanh")),
    ]
}

const SLUGS: Slugs = Slugs { shapes: "gru/shapes", direction: "gru/direction", activation: "gru/activation" };

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    need_direction(cx, &SLUGS, false)?;
    check_activations(cx, &SLUGS, &["recurrent_activation", "activation"])?;
    let sizes = check_sizes(cx, &SLUGS, 3, 1)?;
    check_shape(cx, &SLUGS, "input_bias", &[sizes.hidden.map(|h| h.checked_mul(3))])?;
    outputs(cx, &sizes, 1, 1)
}

/// The gates in the order of the weights' rows.
const RESET: usize = 0;
const OUTPUT: usize = 1;
const UPDATE: usize = 2;

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let gate = Activation::read(call, "recurrent_activation")?;
    let activation = Activation::read(call, "activation")?;
    let weights = Weights::read(call, "", 3)?;
    let hidden = weights.hidden;
    let input_bias = call.get("input_bias").map_or_else(|| vec![0.0; 3 * hidden], RefTensor::f64s);
    if input_bias.len() != 3 * hidden {
        return Err(Failure::new("gru/shapes", "input_bias has not three elements for each hidden one"));
    }
    let reset_after = call.get("reset_after").is_some() && call.bool("reset_after")?;
    let x = Sequence::read(call, weights.inputs)?;
    let mut h = state(call, "initial_h", [x.batch, 1, hidden], 0)?;
    let cell = |x: &[f64], h: &[f64]| {
        let gated = |g: usize, j: usize| gate.apply(weights.sum(g, j, x, h) + input_bias[g * hidden + j]);
        let reset: Vec<f64> = (0..hidden).map(|j| gated(RESET, j)).collect();
        let before: Vec<f64> = reset.iter().zip(h).map(|(r, h)| r * h).collect();
        let next = |j: usize| {
            let input = weights.of_input(OUTPUT, j, x) + input_bias[OUTPUT * hidden + j];
            let bias = weights.bias(OUTPUT, j);
            let recurrent = match reset_after {
                true => reset[j] * (weights.of_state(OUTPUT, j, h) + bias),
                false => weights.of_state(OUTPUT, j, &before) + bias,
            };
            let update = gated(UPDATE, j);
            (1.0 - update) * activation.apply(input + recurrent) + update * h[j]
        };
        (0..hidden).map(next).collect::<Vec<f64>>()
    };
    let mut states = Vec::new();
    for t in 0..x.steps {
        let t = if Direction::read(call) == Some(Direction::Reverse) { x.steps - 1 - t } else { t };
        h = h.iter().enumerate().map(|(b, h)| cell(x.step(t, b), h)).collect();
        states.push(h.clone());
    }
    one_direction(call, &states, &h, [x.batch, hidden])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let cell = Cell::Gru {
        gate: Activation::read(&cx.view, "recurrent_activation")?.kernel(),
        activation: Activation::read(&cx.view, "activation")?.kernel(),
        reset_after: cx.view.has("reset_after") && cx.view.bool("reset_after") == Some(true),
    };
    kernel::plan(cx, cell)
}
