//! What the recurrent ops share: activations by name, the checks of shapes, and the walk along a sequence.

use crate::contract::*;
use crate::support::args::Args;
use mil_base::{Dim, Shape, Type};
use mil_kernels::Unary;

/// An activation of a gate, by name and with its standard parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Activation {
    /// `tanh(v)`; `scaled_tanh` with its standard scales of 1 is the same.
    Tanh,
    /// `1 / (1 + exp(-v))`.
    Sigmoid,
    /// `min(max(0.2 v + 0.5, 0), 1)`.
    HardSigmoid,
    /// `max(v, 0)`.
    Relu,
    /// `v`.
    Linear,
}

impl Activation {
    fn parse(name: &str) -> Option<Activation> {
        Some(match name.to_lowercase().as_str() {
            "tanh" | "scaled_tanh" => Activation::Tanh,
            "sigmoid" => Activation::Sigmoid,
            "hard_sigmoid" | "sigmoid_hard" => Activation::HardSigmoid,
            "relu" => Activation::Relu,
            "linear" => Activation::Linear,
            _ => return None,
        })
    }

    /// The activation that an argument names.
    pub(super) fn read(args: &impl Args, name: &str) -> Result<Activation, Failure> {
        let text = args.get_str(name).unwrap_or_default();
        Activation::parse(&text)
            .ok_or_else(|| Failure::new("op/argument-unreadable", format!("\"{text}\" is no activation")))
    }

    /// Its kernel; nothing for one that changes nothing.
    pub(super) fn kernel(self) -> Option<Unary> {
        match self {
            Activation::Tanh => Some(Unary::Tanh),
            Activation::Sigmoid => Some(Unary::Sigmoid),
            Activation::HardSigmoid => Some(Unary::SigmoidHard { a: 0.2, b: 0.5 }),
            Activation::Relu => Some(Unary::Relu),
            Activation::Linear => None,
        }
    }

    /// Its value.
    pub(super) fn apply(self, v: f64) -> f64 {
        match self {
            Activation::Tanh => v.tanh(),
            Activation::Sigmoid => 1.0 / (1.0 + (-v).exp()),
            Activation::HardSigmoid => (0.2 * v + 0.5).clamp(0.0, 1.0),
            Activation::Relu => v.max(0.0),
            Activation::Linear => v,
        }
    }
}

/// The slugs under which a recurrent op reports its arguments.
pub(super) struct Slugs {
    /// Shapes that do not fit.
    pub(super) shapes: &'static str,
    /// The direction.
    pub(super) direction: &'static str,
    /// An activation.
    pub(super) activation: &'static str,
}

/// Reports arguments that name no activation.
pub(super) fn check_activations(cx: &mut Infer<'_>, slugs: &Slugs, names: &[&str]) -> Result<(), Refused> {
    for name in names {
        let text = cx.need_str(name)?;
        if Activation::parse(&text).is_none() {
            cx.report(
                slugs.activation,
                name,
                format!("\"{text}\" is no activation of a recurrent op"),
                "use \"tanh\", \"scaled_tanh\", \"sigmoid\", \"hard_sigmoid\", \"relu\" or \"linear\"",
            );
        }
    }
    Ok(())
}

/// Which way a sequence is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Direction {
    /// From the first step to the last.
    Forward,
    /// From the last step to the first; outputs come in the order of reading.
    Reverse,
    /// Both, side by side; outputs of both come in the order of the sequence.
    Both,
}

impl Direction {
    /// The argument `direction`; nothing if it names none.
    pub(super) fn read(args: &impl Args) -> Option<Direction> {
        match args.get_str("direction")?.as_str() {
            "forward" => Some(Direction::Forward),
            "reverse" => Some(Direction::Reverse),
            "bidirectional" => Some(Direction::Both),
            _ => None,
        }
    }

    /// How many there are.
    pub(super) fn count(self) -> usize {
        if self == Direction::Both { 2 } else { 1 }
    }
}

/// The direction, which must be `bidirectional` only where `both` is allowed.
pub(super) fn need_direction(cx: &mut Infer<'_>, slugs: &Slugs, both: bool) -> Result<Direction, Refused> {
    match Direction::read(&cx.view()) {
        Some(direction) if both || direction != Direction::Both => Ok(direction),
        _ => {
            let text = cx.need_str("direction")?;
            let choices = if both {
                "\"forward\", \"reverse\" or \"bidirectional\""
            } else {
                "\"forward\" or \"reverse\""
            };
            Err(cx.refuse(
                slugs.direction,
                "direction",
                format!("`{}` cannot go \"{text}\"", cx.def.name),
                format!("use {choices}"),
            ))
        }
    }
}

/// Checks that an argument, if given, has these sizes.
pub(super) fn check_shape(
    cx: &mut Infer<'_>,
    slugs: &Slugs,
    name: &str,
    wanted: &[Dim],
) -> Result<(), Refused> {
    let Some(ty) = cx.ty(name) else { return Ok(()) };
    let wanted = Shape(wanted.to_vec());
    if ty.shape.may_equal(&wanted) {
        return Ok(());
    }
    Err(cx.refuse(
        slugs.shapes,
        name,
        format!("`{name}` is {}, not {wanted}", ty.shape),
        "x is [steps, batch, inputs], weight_ih [gates * hidden, inputs], weight_hh [gates * hidden, hidden], states [batch, directions * hidden]",
    ))
}

/// Sizes of a recurrent op as far as they are known.
pub(super) struct Sizes {
    /// Steps of the sequence.
    pub(super) steps: Dim,
    /// Sequences.
    pub(super) batch: Dim,
    /// Elements of a step.
    pub(super) inputs: Dim,
    /// Elements of the hidden state of one direction.
    pub(super) hidden: Dim,
}

/// Reads the sizes of an op whose `weight_hh` has `gates * hidden` rows, and checks weights, bias and states.
pub(super) fn check_sizes(
    cx: &mut Infer<'_>,
    slugs: &Slugs,
    gates: usize,
    directions: usize,
) -> Result<Sizes, Refused> {
    let (x, recurrent) = (cx.need("x")?, cx.need("weight_hh")?);
    let (&[steps, batch, inputs], &[_, hidden]) = (&x.shape.0[..], &recurrent.shape.0[..]) else {
        let name = if x.shape.rank() == 3 { "weight_hh" } else { "x" };
        return Err(cx.refuse(
            slugs.shapes,
            name,
            format!("x is {x} and weight_hh is {recurrent}"),
            "x is [steps, batch, inputs] and weight_hh [gates * hidden, hidden]",
        ));
    };
    let times = |d: Dim, n: usize| d.map(|d| d.checked_mul(n));
    let rows = times(hidden, gates);
    check_shape(cx, slugs, "weight_hh", &[rows, hidden])?;
    check_shape(cx, slugs, "weight_ih", &[rows, inputs])?;
    check_shape(cx, slugs, "bias", &[rows])?;
    let state = times(hidden, directions);
    check_shape(cx, slugs, "initial_h", &[batch, state])?;
    Ok(Sizes { steps, batch, inputs, hidden })
}

/// The types of the outputs: all steps (or the last one), then `states` final states.
pub(super) fn outputs(
    cx: &mut Infer<'_>,
    sizes: &Sizes,
    directions: usize,
    states: usize,
) -> Result<Vec<Type>, Refused> {
    let dtype = cx.need("x")?.dtype;
    let all = cx.need_bool("output_sequence")?;
    let width = sizes.hidden.map(|h| h.checked_mul(directions));
    let steps = if all { sizes.steps } else { Dim::Known(1) };
    let mut types = vec![Type::tensor(dtype, Shape(vec![steps, sizes.batch, width]))];
    types.resize(1 + states, Type::tensor(dtype, Shape(vec![sizes.batch, width])));
    Ok(types)
}

/// The floating-point operations of `gates` gates in each direction: two for each weight, step and sequence.
pub(super) fn cost(op: &OpView<'_>, gates: u64) -> Option<u64> {
    let &[steps, batch, inputs] = op.ty("x")?.shape.sizes()?.as_slice() else { return None };
    let hidden = op.ty("weight_hh")?.shape.get(1)?.known()? as u64;
    let directions = Direction::read(op)?.count() as u64;
    let weights = gates.checked_mul(hidden)?.checked_mul(hidden.checked_add(inputs as u64)?)?;
    weights.checked_mul(2 * directions)?.checked_mul((steps as u64).checked_mul(batch as u64)?)
}

/// The weights of one direction of a cell.
pub(super) struct Weights {
    input: Vec<f64>,
    recurrent: Vec<f64>,
    bias: Vec<f64>,
    /// Elements of a step.
    pub(super) inputs: usize,
    /// Elements of the hidden state.
    pub(super) hidden: usize,
}

impl Weights {
    /// The arguments `weight_ih`, `weight_hh` and `bias`, each with a suffix (`_back`), for `gates` gates.
    pub(super) fn read(call: &RefCall<'_>, suffix: &str, gates: usize) -> Result<Weights, Failure> {
        let wrong = || Failure::new("op/argument-unreadable", "the weights do not fit each other");
        let input = call.arg(&format!("weight_ih{suffix}"))?;
        let recurrent = call.arg(&format!("weight_hh{suffix}"))?;
        let bias = call.get(&format!("bias{suffix}"));
        let (&[rows, inputs], &[rows2, hidden]) = (&input.shape[..], &recurrent.shape[..]) else {
            return Err(wrong());
        };
        let bias = bias.map_or_else(|| vec![0.0; rows], RefTensor::f64s);
        if rows != rows2 || hidden.checked_mul(gates) != Some(rows) || bias.len() != rows {
            return Err(wrong());
        }
        Ok(Weights { input: input.f64s(), recurrent: recurrent.f64s(), bias, inputs, hidden })
    }

    /// Row `j` of gate `gate` of the input weights times `x`.
    pub(super) fn of_input(&self, gate: usize, j: usize, x: &[f64]) -> f64 {
        dot(&self.input[(gate * self.hidden + j) * self.inputs..], x)
    }

    /// Row `j` of gate `gate` of the recurrent weights times `h`.
    pub(super) fn of_state(&self, gate: usize, j: usize, h: &[f64]) -> f64 {
        dot(&self.recurrent[(gate * self.hidden + j) * self.hidden..], h)
    }

    /// The bias of row `j` of gate `gate`.
    pub(super) fn bias(&self, gate: usize, j: usize) -> f64 {
        self.bias[gate * self.hidden + j]
    }

    /// Everything that row `j` of gate `gate` sums.
    pub(super) fn sum(&self, gate: usize, j: usize, x: &[f64], h: &[f64]) -> f64 {
        self.of_input(gate, j, x) + self.of_state(gate, j, h) + self.bias(gate, j)
    }
}

fn dot(row: &[f64], v: &[f64]) -> f64 {
    row.iter().zip(v).map(|(a, b)| a * b).sum()
}

/// The input of a recurrent op.
pub(super) struct Sequence {
    values: Vec<f64>,
    /// Steps of the sequence.
    pub(super) steps: usize,
    /// Sequences.
    pub(super) batch: usize,
    inputs: usize,
}

impl Sequence {
    /// The argument `x`, for weights of that many inputs.
    pub(super) fn read(call: &RefCall<'_>, inputs: usize) -> Result<Sequence, Failure> {
        let x = call.arg("x")?;
        match x.shape[..] {
            [steps, batch, n] if n == inputs => Ok(Sequence { values: x.f64s(), steps, batch, inputs }),
            _ => Err(Failure::new("op/argument-unreadable", "x does not fit the weights")),
        }
    }

    /// Step `t` of sequence `b`.
    pub(super) fn step(&self, t: usize, b: usize) -> &[f64] {
        &self.values[(t * self.batch + b) * self.inputs..][..self.inputs]
    }
}

/// A state argument `[batch, directions * hidden]`: the part of each sequence for one direction.
pub(super) fn state(
    call: &RefCall<'_>,
    name: &str,
    [batch, directions, hidden]: [usize; 3],
    direction: usize,
) -> Result<Vec<Vec<f64>>, Failure> {
    let tensor = call.arg(name)?;
    if tensor.shape != [batch, directions * hidden] {
        return Err(Failure::new(
            "op/argument-unreadable",
            format!("`{name}` does not fit x and the weights"),
        ));
    }
    let values = tensor.f64s();
    let part = |b: usize| values[(b * directions + direction) * hidden..][..hidden].to_vec();
    Ok((0..batch).map(part).collect())
}

/// The outputs of an op with one direction: the hidden states in the order of reading (the last one only, unless
/// `output_sequence`), and the final one.
pub(super) fn one_direction(
    call: &RefCall<'_>,
    states: &[Vec<Vec<f64>>],
    last: &[Vec<f64>],
    [batch, hidden]: [usize; 2],
) -> Result<Vec<RefTensor>, Failure> {
    let dtype = call.arg("x")?.dtype;
    let shown = match call.bool("output_sequence")? {
        true => states.to_vec(),
        false => vec![last.to_vec()],
    };
    let steps = shown.len();
    let all: Vec<f64> = shown.into_iter().flatten().flatten().collect();
    Ok(vec![
        RefTensor::floats(dtype, &[steps, batch, hidden], all),
        RefTensor::floats(dtype, &[batch, hidden], last.concat()),
    ])
}
