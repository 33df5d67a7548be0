//! Recurrent cells along a sequence: plain, gated (GRU) and with a cell state (LSTM).
//!
//! The input's share of all gates is one matrix product for a stretch of steps; each step then adds the product of the
//! state with the recurrent weights. States stay in fp32 whatever the dtype, and only what is written out is rounded.

use crate::binary::{Binary, Other, binary_f32};
use crate::epilogue::{Along, Epilogue, PostOp};
use crate::gemm::{Matmul, MatmulSpec};
use crate::pool::Pool;
use crate::unary::{Unary, unary_f32};
use crate::view::{Floats, FloatsMut, take_scratch};

/// What happens at each step; `None` as an activation changes nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell {
    /// `h = activation(x + h)`; one gate.
    Plain {
        /// Of the sum.
        activation: Option<Unary>,
    },
    /// Gates reset, output, update.
    Gru {
        /// Of the reset and update gates.
        gate: Option<Unary>,
        /// Of the output gate.
        activation: Option<Unary>,
        /// The reset gate acts on the product of the state instead of the state.
        reset_after: bool,
    },
    /// Gates input, forget, output, cell.
    Lstm {
        /// Of the input, forget and output gates.
        gate: Option<Unary>,
        /// Of the cell gate.
        cell: Option<Unary>,
        /// Of the cell state.
        activation: Option<Unary>,
        /// Bound of the cell state's magnitude.
        clip: f32,
    },
}

impl Cell {
    fn gates(&self) -> usize {
        match self {
            Cell::Plain { .. } => 1,
            Cell::Gru { .. } => 3,
            Cell::Lstm { .. } => 4,
        }
    }
}

/// Sizes of a recurrent layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Steps of the sequence.
    pub steps: usize,
    /// Sequences.
    pub batch: usize,
    /// Elements of a step.
    pub inputs: usize,
    /// Elements of the state.
    pub hidden: usize,
}

/// The weights of one direction, in the order of [`Cell`]'s gates.
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a> {
    /// `[gates * hidden, inputs]`
    pub input: Floats<'a>,
    /// `[gates * hidden, hidden]`
    pub recurrent: Floats<'a>,
    /// `[gates * hidden]`, beside the state (it matters with `reset_after` only).
    pub bias: Option<Floats<'a>>,
    /// `[gates * hidden]`, beside the input.
    pub input_bias: Option<Floats<'a>>,
    /// `[3 * hidden]`: input, forget, output.
    pub peephole: Option<Floats<'a>>,
}

/// Which part of the outputs a direction fills: columns `first..first + hidden` of rows of `width`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    /// The first column.
    pub first: usize,
    /// Columns of all directions.
    pub width: usize,
    /// Read the sequence from its end.
    pub backward: bool,
    /// The state after reading step `t` is written at `t`; otherwise in the order of reading.
    pub in_place: bool,
}

/// What one direction writes.
pub struct Outputs<'a> {
    /// States of all steps, or of the last one read, `[.., batch, width]`.
    pub sequence: FloatsMut<'a>,
    /// All steps?
    pub all: bool,
    /// The final state `[batch, width]`.
    pub h: FloatsMut<'a>,
    /// The final cell state.
    pub c: Option<FloatsMut<'a>>,
}

/// Steps whose input products are made at once.
const STRETCH: usize = 32;

/// A recurrent layer of one direction, planned for known sizes.
#[derive(Clone, Debug)]
pub struct Recurrent {
    sizes: Sizes,
    cell: Cell,
    /// Products of a whole stretch and of the last one.
    inputs: [Matmul; 2],
    /// The state with all gates' weights.
    state: Matmul,
    /// The state with one gate's weights.
    gate: Matmul,
    /// Adds a bias to the input's share.
    biased: Epilogue,
}

impl Recurrent {
    /// Plans it; `None` for impossible sizes.
    pub fn new(sizes: Sizes, cell: Cell, threads: usize) -> Option<Recurrent> {
        let Sizes { steps, batch, inputs, hidden } = sizes;
        let rows = cell.gates().checked_mul(hidden)?;
        let product = |a: [usize; 2], rows: usize| {
            let spec = MatmulSpec { a: &a, b: &[rows, a[1]], transpose_a: false, transpose_b: true };
            Matmul::new(&spec, threads)
        };
        let last = if steps == 0 { 0 } else { (steps - 1) % STRETCH + 1 };
        let stretch = |n: usize| product([n.checked_mul(batch)?, inputs], rows);
        let inputs = [stretch(STRETCH.min(steps))?, stretch(last)?];
        let (state, gate) = (product([batch, hidden], rows)?, product([batch, hidden], hidden)?);
        let bias = PostOp::Bias { operand: 0, along: Along::Column };
        let biased = Epilogue { ops: vec![bias], round_fp16: false };
        Some(Recurrent { sizes, cell, inputs, state, gate, biased })
    }

    /// Scratch for `threads` threads.
    pub fn scratch_bytes(&self, threads: usize) -> usize {
        let Sizes { steps, batch, hidden, .. } = self.sizes;
        let rows = self.cell.gates() * hidden;
        let floats = |n: usize| (n * 4).next_multiple_of(64);
        let states = floats(batch * hidden) * 3 + floats(3 * hidden) + floats(rows);
        let products = [&self.inputs[0], &self.inputs[1], &self.state, &self.gate];
        let most = products.iter().map(|m| m.scratch_bytes(threads)).max().unwrap_or(0);
        floats(STRETCH.min(steps) * batch * rows) + floats(batch * rows) + states + most
    }

    /// Reads `x` `[steps, batch, inputs]` from the states `h` and `c` `[batch, width]`.
    pub fn run(
        &self,
        x: Floats<'_>,
        weights: &Weights<'_>,
        side: Side,
        [h, c]: [Option<Floats<'_>>; 2],
        mut out: Outputs<'_>,
        scratch: &mut [u8],
        pool: &Pool,
    ) {
        let Sizes { steps, batch, inputs, hidden } = self.sizes;
        let rows = self.cell.gates() * hidden;
        let stretch = STRETCH.min(steps);
        let (shares, rest) = take_scratch::<f32>(scratch, stretch * batch * rows);
        let (gates, rest) = take_scratch::<f32>(rest, batch * rows);
        let (state, rest) = take_scratch::<f32>(rest, batch * hidden);
        let (memory, rest) = take_scratch::<f32>(rest, batch * hidden);
        let (reset, rest) = take_scratch::<f32>(rest, batch * hidden);
        let (peephole, rest) = take_scratch::<f32>(rest, 3 * hidden);
        let (bias, rest) = take_scratch::<f32>(rest, rows);
        for (source, to) in [(h, &mut *state), (c, &mut *memory)] {
            for (b, row) in to.chunks_exact_mut(hidden.max(1)).enumerate() {
                load(source, b * side.width + side.first, row);
            }
        }
        load(weights.peephole, 0, peephole);
        load(weights.bias, 0, bias);
        let after = if weights.input_bias.is_some() { &self.biased } else { Epilogue::NONE };
        let mut read = 0;
        while read < steps {
            let count = stretch.min(steps - read);
            let first = if side.backward { steps - read - count } else { read };
            let span = first * batch * inputs..(first + count) * batch * inputs;
            let product = &self.inputs[usize::from(read + count == steps)];
            let into = FloatsMut::F32(&mut shares[..count * batch * rows]);
            let operands = weights.input_bias.as_slice();
            product.run(x.slice(span), weights.input, into, after, operands, rest, pool);
            for i in 0..count {
                let at = if side.backward { count - 1 - i } else { i };
                let share = &mut shares[at * batch * rows..(at + 1) * batch * rows];
                let mut step = Step { share, gates, state, memory, reset, peephole, bias };
                self.step(&mut step, weights, rest, pool);
                if out.all || read + i + 1 == steps {
                    let place = match (out.all, side.in_place) {
                        (false, _) => 0,
                        (true, true) => first + at,
                        (true, false) => read + i,
                    };
                    write(&mut out.sequence, place * batch, state, hidden, side);
                }
            }
            read += count;
        }
        write(&mut out.h, 0, state, hidden, side);
        if let Some(c) = &mut out.c {
            write(c, 0, memory, hidden, side);
        }
    }

    fn step(&self, step: &mut Step<'_>, weights: &Weights<'_>, scratch: &mut [u8], pool: &Pool) {
        let hidden = self.sizes.hidden;
        let rows = self.cell.gates() * hidden;
        if hidden == 0 {
            return;
        }
        let reset_before = matches!(self.cell, Cell::Gru { reset_after: false, .. });
        let recurrent = weights.recurrent;
        if !reset_before {
            let state = Floats::F32(step.state);
            let into = FloatsMut::F32(step.gates);
            self.state.run(state, recurrent, into, Epilogue::NONE, &[], scratch, pool);
            for row in step.gates.chunks_exact_mut(rows) {
                add(row, step.bias);
            }
        }
        match self.cell {
            Cell::Plain { activation } => {
                add(step.gates, step.share);
                apply(activation, step.gates);
                step.state.copy_from_slice(step.gates);
            }
            Cell::Lstm { gate, cell, activation, clip } => {
                add(step.gates, step.share);
                let lines = step.state.chunks_exact_mut(hidden).zip(step.memory.chunks_exact_mut(hidden));
                for (row, (h, c)) in step.gates.chunks_exact_mut(rows).zip(lines) {
                    lstm(row, h, c, step.peephole, [gate, cell, activation], clip);
                }
            }
            Cell::Gru { gate, activation, reset_after: true } => {
                let lines = step.state.chunks_exact_mut(hidden).zip(step.share.chunks_exact(rows));
                for (row, (h, share)) in step.gates.chunks_exact_mut(rows).zip(lines) {
                    let (reset, rest) = row.split_at_mut(hidden);
                    let (output, update) = rest.split_at_mut(hidden);
                    add(reset, &share[..hidden]);
                    add(update, &share[2 * hidden..]);
                    apply(gate, reset);
                    apply(gate, update);
                    multiply(output, reset);
                    add(output, &share[hidden..2 * hidden]);
                    apply(activation, output);
                    mix(h, output, update);
                }
            }
            Cell::Gru { gate, activation, reset_after: false } => {
                let of = |g: usize| recurrent.slice(g * hidden * hidden..(g + 1) * hidden * hidden);
                let mut product = |from: &[f32], g: usize, into: &mut [f32]| {
                    let into = FloatsMut::F32(into);
                    self.gate.run(Floats::F32(from), of(g), into, Epilogue::NONE, &[], scratch, pool);
                };
                let len = step.state.len();
                let (update, rest) = step.gates.split_at_mut(len);
                let output = &mut rest[..len];
                product(step.state, 0, step.reset);
                product(step.state, 2, update);
                for (b, share) in step.share.chunks_exact(rows).enumerate() {
                    let line = b * hidden..(b + 1) * hidden;
                    let gated = |values: &mut [f32], g: usize| {
                        add(values, &share[g * hidden..][..hidden]);
                        add(values, &step.bias[g * hidden..][..hidden]);
                        apply(gate, values);
                    };
                    gated(&mut step.reset[line.clone()], 0);
                    gated(&mut update[line], 2);
                }
                multiply(step.reset, step.state);
                product(step.reset, 1, output);
                for (b, share) in step.share.chunks_exact(rows).enumerate() {
                    let line = b * hidden..(b + 1) * hidden;
                    let output = &mut output[line.clone()];
                    add(output, &share[hidden..2 * hidden]);
                    add(output, &step.bias[hidden..2 * hidden]);
                    apply(activation, output);
                    mix(&mut step.state[line.clone()], output, &update[line]);
                }
            }
        }
    }
}

/// The memory of one step: rows of `gates * hidden` or `hidden` for each sequence.
struct Step<'a> {
    /// The input's share of the gates.
    share: &'a mut [f32],
    gates: &'a mut [f32],
    state: &'a mut [f32],
    memory: &'a mut [f32],
    reset: &'a mut [f32],
    peephole: &'a [f32],
    bias: &'a [f32],
}

fn lstm(
    row: &mut [f32],
    h: &mut [f32],
    c: &mut [f32],
    peephole: &[f32],
    [gate, cell, activation]: [Option<Unary>; 3],
    clip: f32,
) {
    let n = h.len();
    let (input, rest) = row.split_at_mut(n);
    let (forget, rest) = rest.split_at_mut(n);
    let (output, candidate) = rest.split_at_mut(n);
    let peep = |values: &mut [f32], weights: &[f32], c: &[f32]| {
        values.iter_mut().zip(weights.iter().zip(c)).for_each(|(v, (w, c))| *v += w * c);
    };
    peep(input, &peephole[..n], c);
    peep(forget, &peephole[n..2 * n], c);
    apply(gate, input);
    apply(gate, forget);
    apply(cell, candidate);
    for (i, c) in c.iter_mut().enumerate() {
        *c = (forget[i] * *c + input[i] * candidate[i]).min(clip).max(-clip);
    }
    peep(output, &peephole[2 * n..], c);
    apply(gate, output);
    h.copy_from_slice(c);
    apply(activation, h);
    multiply(h, output);
}

/// `h = (1 - update) * output + update * h`
fn mix(h: &mut [f32], output: &[f32], update: &[f32]) {
    for (h, (o, z)) in h.iter_mut().zip(output.iter().zip(update)) {
        *h = (1.0 - z) * o + z * *h;
    }
}

/// The elements of `source` from `start` on, or zeros.
fn load(source: Option<Floats<'_>>, start: usize, to: &mut [f32]) {
    match source {
        Some(source) => source.read(start, to),
        None => to.fill(0.0),
    }
}

fn add(a: &mut [f32], b: &[f32]) {
    binary_f32(Binary::Add, a, Other::Each(b));
}

fn multiply(a: &mut [f32], b: &[f32]) {
    binary_f32(Binary::Mul, a, Other::Each(b));
}

fn apply(op: Option<Unary>, values: &mut [f32]) {
    if let Some(op) = op {
        unary_f32(op, values);
    }
}

/// Writes the states of all sequences as rows `first_row..`.
fn write(out: &mut FloatsMut<'_>, first_row: usize, states: &[f32], hidden: usize, side: Side) {
    for (b, state) in states.chunks_exact(hidden.max(1)).enumerate() {
        out.write((first_row + b) * side.width + side.first, state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Random, assert_close};

    /// A plain cell and an LSTM over more steps than a stretch, read backward, against loops.
    #[test]
    fn long_sequences_match_loops() {
        let (pool, mut random) = (Pool::new(2).unwrap(), Random::new(50));
        let sizes = Sizes { steps: 2 * STRETCH + 3, batch: 2, inputs: 3, hidden: 5 };
        let Sizes { steps, batch, inputs, hidden } = sizes;
        let x = random.vec(steps * batch * inputs, 1.0);
        let (wi, wh) = (random.vec(hidden * inputs, 0.5), random.vec(hidden * hidden, 0.3));
        let h0 = random.vec(batch * hidden, 1.0);
        let plan = Recurrent::new(sizes, Cell::Plain { activation: Some(Unary::Tanh) }, 2).unwrap();
        let mut scratch = vec![0u64; plan.scratch_bytes(2) / 8 + 8];
        let scratch: &mut [u8] = bytemuck::cast_slice_mut(&mut scratch);
        let start = scratch.as_ptr().align_offset(64);
        let scratch = &mut scratch[start..];
        let (mut all, mut last) = (vec![0f32; steps * batch * hidden], vec![0f32; batch * hidden]);
        let weights = Weights {
            input: Floats::F32(&wi),
            recurrent: Floats::F32(&wh),
            bias: None,
            input_bias: None,
            peephole: None,
        };
        let side = Side { first: 0, width: hidden, backward: true, in_place: false };
        let out =
            Outputs { sequence: FloatsMut::F32(&mut all), all: true, h: FloatsMut::F32(&mut last), c: None };
        plan.run(Floats::F32(&x), &weights, side, [Some(Floats::F32(&h0)), None], out, scratch, &pool);
        let mut want = Vec::new();
        let mut h: Vec<f64> = h0.iter().map(|&v| v.into()).collect();
        for t in (0..steps).rev() {
            let old = h.clone();
            for b in 0..batch {
                for j in 0..hidden {
                    let dot = |w: &[f32], v: &dyn Fn(usize) -> f64, n: usize| -> f64 {
                        (0..n).map(|i| f64::from(w[j * n + i]) * v(i)).sum()
                    };
                    let from_x = dot(&wi, &|i| x[(t * batch + b) * inputs + i].into(), inputs);
                    h[b * hidden + j] = (from_x + dot(&wh, &|i| old[b * hidden + i], hidden)).tanh();
                }
            }
            want.extend(&h);
        }
        assert_close(&all, &want, 1e-5, "all steps");
        assert_close(&last, &h, 1e-5, "last step");
    }
}
