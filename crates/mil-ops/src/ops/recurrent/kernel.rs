//! The CPU kernel of the recurrent ops.

use super::common::Direction;
use crate::contract::*;
use mil_base::DType;
use mil_kernels::recurrent::{Cell, Outputs, Recurrent, Side, Sizes, Weights};
use mil_kernels::{Floats, FloatsMut};

/// Slots of the weights of one direction.
struct Slots {
    input: usize,
    recurrent: usize,
    bias: Option<usize>,
    input_bias: Option<usize>,
    peephole: Option<usize>,
}

/// Chooses the kernel of an op with this cell. All tensors have the dtype of x.
pub(super) fn plan(cx: &CpuCx<'_>, cell: Cell) -> Result<CpuKernel, Failure> {
    let (x, recurrent) = (cx.ty("x")?, cx.ty("weight_hh")?);
    let (&[steps, batch, inputs], &[_, hidden]) = (x.shape.as_slice(), recurrent.shape.as_slice()) else {
        return Err(cx.unplanned("x"));
    };
    let direction = Direction::read(&cx.view).ok_or_else(|| cx.unplanned("direction"))?;
    let all = cx.view.bool("output_sequence").ok_or_else(|| cx.unplanned("output_sequence"))?;
    let layer = Recurrent::new(Sizes { steps, batch, inputs, hidden }, cell, cx.threads)
        .ok_or_else(|| cx.unplanned("x"))?;
    let width = direction.count() * hidden;
    let side = |first: usize, backward: bool| Side {
        first,
        width,
        backward,
        in_place: direction == Direction::Both,
    };
    let mut passes = vec![(slots(cx, "")?, side(0, direction == Direction::Reverse))];
    if direction == Direction::Both {
        passes.push((slots(cx, "_back")?, side(hidden, true)));
    }
    let (at_x, at_h, at_c) = (cx.need("x")?, cx.need("initial_h")?, cx.slot("initial_c"));
    let (dtype, scratch) = (x.dtype, layer.scratch_bytes(cx.threads));
    let run = move |call: &mut KernelCall<'_>| {
        let x = floats(call, dtype, at_x)?;
        let states = [Some(floats(call, dtype, at_h)?), optional(call, dtype, at_c)?];
        for (slots, side) in &passes {
            let weights = slots.read(call, dtype)?;
            let out = outputs(call.outputs, dtype, all)?;
            layer.run(x, &weights, *side, states, out, call.scratch, call.pool);
        }
        Ok(())
    };
    Ok(CpuKernel::new(run).scratch(scratch))
}

fn slots(cx: &CpuCx<'_>, suffix: &str) -> Result<Slots, Failure> {
    let slot = |name: &str| cx.slot(&format!("{name}{suffix}"));
    Ok(Slots {
        input: cx.need(&format!("weight_ih{suffix}"))?,
        recurrent: cx.need(&format!("weight_hh{suffix}"))?,
        bias: slot("bias"),
        input_bias: slot("input_bias"),
        peephole: slot("peephole"),
    })
}

impl Slots {
    fn read<'a>(&self, call: &KernelCall<'a>, dtype: DType) -> Result<Weights<'a>, Failure> {
        Ok(Weights {
            input: floats(call, dtype, self.input)?,
            recurrent: floats(call, dtype, self.recurrent)?,
            bias: optional(call, dtype, self.bias)?,
            input_bias: optional(call, dtype, self.input_bias)?,
            peephole: optional(call, dtype, self.peephole)?,
        })
    }
}

fn failed() -> Failure {
    Failure::new("op/not-planned", "a recurrent op is of floats, with two or three outputs")
}

fn floats<'a>(call: &KernelCall<'a>, dtype: DType, slot: usize) -> Result<Floats<'a>, Failure> {
    Floats::new(dtype, call.read(slot)?).ok_or_else(failed)
}

fn optional<'a>(
    call: &KernelCall<'a>,
    dtype: DType,
    slot: Option<usize>,
) -> Result<Option<Floats<'a>>, Failure> {
    slot.map(|slot| floats(call, dtype, slot)).transpose()
}

fn outputs<'a>(buffers: &'a mut [&mut [u8]], dtype: DType, all: bool) -> Result<Outputs<'a>, Failure> {
    let mut views = buffers.iter_mut().map(|b| FloatsMut::new(dtype, b));
    let mut next = || views.next().flatten();
    let (sequence, h) = (next().ok_or_else(failed)?, next().ok_or_else(failed)?);
    Ok(Outputs { sequence, all, h, c: next() })
}
