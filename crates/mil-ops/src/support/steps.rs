//! The steps fused into a kernel, in the form `mil-kernels` takes.

use crate::contract::{CpuCx, Failure, KernelCall, PostOp};
use mil_base::DType;
use mil_kernels::{Along, Binary, Epilogue, Floats, PostOp as Step, Unary};
use std::ops::Deref;

/// Tensors that fused steps may read: a kernel must not allocate, so there is room for so many.
const MOST: usize = 16;

/// The steps of [`CpuCx::post`], made at plan time.
pub struct Steps {
    /// What the kernel applies.
    pub epilogue: Epilogue,
    dtype: DType,
    slots: Vec<(usize, DType)>,
}

impl Steps {
    /// The steps after a kernel whose output 0 is fp16 or fp32 (of other types, none are ever asked for).
    pub fn new(cx: &CpuCx<'_>) -> Result<Steps, Failure> {
        let dtype = cx.outputs.first().map_or(DType::Fp32, |o| o.dtype);
        let mut steps = Steps {
            epilogue: Epilogue { ops: Vec::new(), round_fp16: dtype == DType::Fp16 },
            dtype,
            slots: Vec::new(),
        };
        for op in cx.post {
            let step = steps.step(op);
            steps.epilogue.ops.push(step);
        }
        if steps.slots.len() > MOST {
            let message = format!("{} fused steps read tensors, and {MOST} may", steps.slots.len());
            return Err(Failure::new("op/not-planned", message));
        }
        Ok(steps)
    }

    /// With a bias of the op's own, fp16 or fp32, added before the steps and without rounding in between.
    pub fn bias(mut self, slot: usize, dtype: DType, along: Along) -> Steps {
        self.epilogue.ops.insert(0, Step::Bias { operand: self.slots.len(), along });
        self.slots.push((slot, dtype));
        self
    }

    fn step(&mut self, op: &PostOp) -> Step {
        Step::Unary(match *op {
            PostOp::Relu => Unary::Relu,
            PostOp::Clip { lo, hi } => Unary::Clip { lo, hi },
            PostOp::LeakyRelu(alpha) => Unary::LeakyRelu(alpha),
            PostOp::Sigmoid => Unary::Sigmoid,
            PostOp::Tanh => Unary::Tanh,
            PostOp::Silu => Unary::Silu,
            PostOp::GeluExact => Unary::Gelu,
            PostOp::GeluTanh => Unary::GeluTanh,
            PostOp::GeluSigmoid => Unary::GeluSigmoid,
            PostOp::AddScalar(c) => Unary::Add(c),
            PostOp::MulScalar(c) => Unary::Mul(c),
            PostOp::Add { slot } => return self.with(Binary::Add, slot),
            PostOp::Mul { slot } => return self.with(Binary::Mul, slot),
        })
    }

    fn with(&mut self, op: Binary, slot: usize) -> Step {
        self.slots.push((slot, self.dtype));
        Step::Binary { op, operand: self.slots.len() - 1, along: Along::Same, reversed: false }
    }

    /// Does no step read a tensor?
    pub fn read_nothing(&self) -> bool {
        self.slots.is_empty()
    }

    /// The tensors the steps read, of one execution.
    pub fn operands<'a>(&self, call: &KernelCall<'a>) -> Result<Operands<'a>, Failure> {
        let mut operands = Operands { list: [Floats::F32(&[]); MOST + 1], count: 0 };
        for (&(slot, dtype), place) in self.slots.iter().zip(&mut operands.list) {
            *place = Floats::new(dtype, call.read(slot)?).ok_or_else(|| {
                Failure::new("op/not-planned", "a fused step reads a tensor of no float type")
            })?;
            operands.count += 1;
        }
        Ok(operands)
    }
}

/// The tensors that [`Steps`] read.
pub struct Operands<'a> {
    list: [Floats<'a>; MOST + 1],
    count: usize,
}

impl<'a> Deref for Operands<'a> {
    type Target = [Floats<'a>];
    fn deref(&self) -> &[Floats<'a>] {
        &self.list[..self.count]
    }
}
