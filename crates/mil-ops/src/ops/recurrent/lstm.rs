//! `lstm`: long short-term memory.

use super::common::*;
use super::kernel;
use crate::contract::*;
use crate::support::plan::scalar;
use mil_base::{DType, DTypes, Opset, Type};
use mil_kernels::recurrent::Cell;

/// The card of `lstm`.
pub static LSTM: OpDef = OpDef {
    name: "lstm",
    doc: Doc::page(include_str!("lstm.md")),
    versions: &[
        Version::new(Opset::Ios15, &IOS15).outputs(Outputs::Exactly(3)),
        Version::new(Opset::Ios17, &IOS17).outputs(Outputs::Exactly(3)),
    ],
    constraints: &[
        Constraint {
            slug: "lstm/shapes",
            rule: "x is [steps, batch, inputs], weight_ih [4 hidden, inputs], weight_hh [4 hidden, hidden], bias [4 hidden], peephole [3 hidden], states [batch, directions hidden]; the _back ones likewise",
        },
        Constraint { slug: "lstm/direction", rule: "direction is forward, reverse or bidirectional" },
        Constraint {
            slug: "lstm/activation",
            rule: "activation, cell_activation and recurrent_activation are among the six of recurrent ops",
        },
        Constraint {
            slug: "lstm/backward-weights",
            rule: "weight_ih_back and weight_hh_back are given when direction is bidirectional",
        },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |op| cost(op, 4),
    // The exponentials in the gates flush what is below the least normal number to zero.
    accuracy: Accuracy::sum(3e-6).beside(f32::MIN_POSITIVE as f64),
};

const IOS15: [Param; 17] = params(DTypes::of(&[DType::Fp32]));
const IOS17: [Param; 17] = params(sets::FLOAT);

const fn params(floats: DTypes) -> [Param; 17] {
    [
        Param::tensor("x", floats).group("T"),
        Param::tensor("initial_h", floats).group("T"),
        Param::tensor("initial_c", floats).group("T"),
        Param::constant("weight_ih", floats).group("T"),
        Param::constant("weight_hh", floats).group("T"),
        Param::constant("bias", floats).group("T").or(Default::Absent),
        Param::constant("peephole", floats).group("T").or(Default::Absent),
        Param::constant("weight_ih_back", floats).group("T").or(Default::Absent),
        Param::constant("weight_hh_back", floats).group("T").or(Default::Absent),
        Param::constant("bias_back", floats).group("T").or(Default::Absent),
        Param::constant("peephole_back", floats).group("T").or(Default::Absent),
        Param::constant("direction", sets::STRING).or(Default::Str("forward")),
        Param::constant("output_sequence", sets::BOOL).or(Default::Bool(false)),
        Param::constant("recurrent_activation", sets::STRING).or(Default::Str("sigmoid")),
        Param::constant("cell_activation", sets::STRING).or(Default::Str("tanh")),
        Param::constant("activation", sets::STRING).or(Default::Str("tanh")),
        Param::constant("clip", floats).group("T").or(Default::Absent),
    ]
}

const SLUGS: Slugs =
    Slugs { shapes: "lstm/shapes", direction: "lstm/direction", activation: "lstm/activation" };

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let direction = need_direction(cx, &SLUGS, true)?;
    check_activations(cx, &SLUGS, &["recurrent_activation", "cell_activation", "activation"])?;
    let directions = direction.count();
    let sizes = check_sizes(cx, &SLUGS, 4, directions)?;
    let times = |n: usize| sizes.hidden.map(|h| h.checked_mul(n));
    check_shape(cx, &SLUGS, "initial_c", &[sizes.batch, times(directions)])?;
    check_shape(cx, &SLUGS, "peephole", &[times(3)])?;
    if direction == Direction::Both {
        for name in ["weight_ih_back", "weight_hh_back"] {
            if !cx.has(name) {
                return Err(cx.refuse(
                    "lstm/backward-weights",
                    name,
                    format!("`{name}` is missing and direction is \"bidirectional\""),
                    format!("give `{name}`, or read the sequence one way only"),
                ));
            }
        }
        check_shape(cx, &SLUGS, "weight_ih_back", &[times(4), sizes.inputs])?;
        check_shape(cx, &SLUGS, "weight_hh_back", &[times(4), sizes.hidden])?;
        check_shape(cx, &SLUGS, "bias_back", &[times(4)])?;
        check_shape(cx, &SLUGS, "peephole_back", &[times(3)])?;
    }
    outputs(cx, &sizes, directions, 2)
}

/// The gates in the order of the weights' rows.
const INPUT: usize = 0;
const FORGET: usize = 1;
const OUTPUT: usize = 2;
const CELL: usize = 3;

/// One direction: hidden states in the order of reading, and the final states.
struct Pass {
    states: Vec<Vec<Vec<f64>>>,
    h: Vec<Vec<f64>>,
    c: Vec<Vec<f64>>,
}

fn pass(call: &RefCall<'_>, backward: bool, index: usize, directions: usize) -> Result<Pass, Failure> {
    let suffix = if index == 1 { "_back" } else { "" };
    let gate = Activation::read(call, "recurrent_activation")?;
    let cell = Activation::read(call, "cell_activation")?;
    let activation = Activation::read(call, "activation")?;
    let clip = match call.get("clip") {
        Some(_) => call.float("clip")?,
        None => f64::INFINITY,
    };
    let weights = Weights::read(call, suffix, 4)?;
    let hidden = weights.hidden;
    let peephole = call.get(&format!("peephole{suffix}"));
    let peephole = peephole.map_or_else(|| vec![0.0; 3 * hidden], RefTensor::f64s);
    if peephole.len() != 3 * hidden {
        return Err(Failure::new("lstm/shapes", "peephole has not three elements for each hidden one"));
    }
    let x = Sequence::read(call, weights.inputs)?;
    let sizes = [x.batch, directions, hidden];
    let mut h = state(call, "initial_h", sizes, index)?;
    let mut c = state(call, "initial_c", sizes, index)?;
    let mut states = Vec::with_capacity(x.steps);
    for t in 0..x.steps {
        let t = if backward { x.steps - 1 - t } else { t };
        for b in 0..x.batch {
            let (x, old, c) = (x.step(t, b), h[b].clone(), &mut c[b]);
            for j in 0..hidden {
                let sum = |g: usize| weights.sum(g, j, x, &old);
                let peep = |g: usize, c: f64| peephole[g * hidden + j] * c;
                let i = gate.apply(sum(INPUT) + peep(INPUT, c[j]));
                let f = gate.apply(sum(FORGET) + peep(FORGET, c[j]));
                c[j] = (f * c[j] + i * cell.apply(sum(CELL))).min(clip).max(-clip);
                let o = gate.apply(sum(OUTPUT) + peep(OUTPUT, c[j]));
                h[b][j] = o * activation.apply(c[j]);
            }
        }
        states.push(h.clone());
    }
    Ok(Pass { states, h, c })
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let direction = Direction::read(call)
        .ok_or_else(|| Failure::new("lstm/direction", "direction names no way to read"))?;
    let dtype = call.arg("x")?.dtype;
    let passes = match direction {
        Direction::Forward => vec![pass(call, false, 0, 1)?],
        Direction::Reverse => vec![pass(call, true, 0, 1)?],
        Direction::Both => {
            let mut back = pass(call, true, 1, 2)?;
            back.states.reverse();
            vec![pass(call, false, 0, 2)?, back]
        }
    };
    let (batch, steps) = (passes[0].h.len(), passes[0].states.len());
    let hidden = call.arg("weight_hh")?.shape.get(1).copied().unwrap_or(0);
    let width = passes.len() * hidden;
    // The states of all directions side by side, for each sequence.
    let beside = |of: &dyn Fn(&Pass) -> &Vec<Vec<f64>>| -> Vec<f64> {
        (0..batch).flat_map(|b| passes.iter().flat_map(move |p| of(p)[b].clone())).collect()
    };
    let (h, c) = (beside(&|p| &p.h), beside(&|p| &p.c));
    let (shown, sequence) = match call.bool("output_sequence")? {
        true => (steps, (0..steps).flat_map(|t| beside(&|p| &p.states[t])).collect()),
        false => (1, h.clone()),
    };
    Ok(vec![
        RefTensor::floats(dtype, &[shown, batch, width], sequence),
        RefTensor::floats(dtype, &[batch, width], h),
        RefTensor::floats(dtype, &[batch, width], c),
    ])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let activation = |name| Activation::read(&cx.view, name).map(Activation::kernel);
    let cell = Cell::Lstm {
        gate: activation("recurrent_activation")?,
        cell: activation("cell_activation")?,
        activation: activation("activation")?,
        clip: if cx.view.has("clip") { scalar(cx, "clip")? } else { f32::INFINITY },
    };
    kernel::plan(cx, cell)
}
