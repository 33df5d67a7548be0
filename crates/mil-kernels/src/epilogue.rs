//! What happens to a finished tile of a matrix product while it is still in cache.
//!
//! [`Epilogue`] is made at plan time; the tensors its steps read are handed over at run time, in the order of the
//! indices in [`PostOp::Binary`]. The tile is `f32`; when the program's dtype is fp16 it is rounded to fp16 before the
//! first step and after each one, as if every step were a MIL operation of its own.

use crate::binary::{Binary, Other, binary_f32};
use crate::float::round_in_place;
use crate::simd::simd;
use crate::unary::{Unary, unary_f32};
use crate::view::Floats;

/// How a step's tensor lies against the product's rows (m, or output channels) and columns (n, or pixels).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Along {
    /// The product's own shape.
    Same,
    /// One value a row: a convolution's channel.
    Row,
    /// One value a column: a linear layer's feature.
    Column,
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PostOp {
    /// A function of the value alone; scalars (clip, mul, add, leaky relu) are its parameters.
    Unary(Unary),
    /// With a tensor: `value = value op tensor`.
    Binary {
        /// The function.
        op: Binary,
        /// Which of the tensors given at run time.
        operand: usize,
        /// How it lies.
        along: Along,
        /// `value = tensor op value` instead.
        reversed: bool,
    },
    /// Adds a tensor without rounding in between: the bias that belongs to the product's own MIL operation.
    Bias {
        /// Which of the tensors given at run time.
        operand: usize,
        /// How it lies.
        along: Along,
    },
}

/// The steps after a product.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Epilogue {
    /// In order; a [`PostOp::Bias`] can only come first.
    pub ops: Vec<PostOp>,
    /// Round to fp16 between the steps (the program's dtype is fp16).
    pub round_fp16: bool,
}

impl Epilogue {
    /// Nothing to do.
    pub const NONE: &'static Epilogue = &Epilogue { ops: Vec::new(), round_fp16: false };
}

/// An epilogue with its tensors, and the width of a row of the product.
#[derive(Clone, Copy)]
pub(crate) struct Finish<'a> {
    pub(crate) steps: &'a Epilogue,
    pub(crate) operands: &'a [Floats<'a>],
    /// Elements from one row of the product to the next: where a `Same` operand's rows lie.
    pub(crate) width: usize,
}

/// Steps after an elementwise function, whose result is one row.
#[derive(Clone, Copy)]
pub struct Then<'a> {
    /// The steps; operands lie as the result does ([`Along::Same`]).
    pub steps: &'a Epilogue,
    /// The tensors they read.
    pub operands: &'a [Floats<'a>],
}

impl Then<'_> {
    /// No steps.
    pub const NOTHING: Then<'static> = Then { steps: Epilogue::NONE, operands: &[] };

    /// Applies them to the block of the result that starts at `column`.
    pub(crate) fn apply(&self, column: usize, values: &mut [f32]) {
        let finish = Finish { steps: self.steps, operands: self.operands, width: 0 };
        finish.apply(Segment { row: 0, column, base: 0 }, values);
    }
}

/// Where a segment of a row lies.
#[derive(Clone, Copy)]
pub(crate) struct Segment {
    pub(crate) row: usize,
    /// First column.
    pub(crate) column: usize,
    /// Offset added to `Same` operands only: the batch.
    pub(crate) base: usize,
}

/// Columns handled at once; operands in fp16 are expanded into a block of this size.
const BLOCK: usize = 512;
/// Columns of a short row.
const SHORT: usize = 64;

impl Finish<'_> {
    /// Applies all steps to one segment of a row.
    pub(crate) fn apply(&self, at: Segment, values: &mut [f32]) {
        if self.steps.ops.is_empty() {
            return;
        }
        for (i, block) in values.chunks_mut(BLOCK).enumerate() {
            self.block(Segment { column: at.column + i * BLOCK, ..at }, block);
        }
    }

    fn block(&self, at: Segment, values: &mut [f32]) {
        let mut steps = &self.steps.ops[..];
        if let [PostOp::Bias { operand, along: Along::Row }, PostOp::Unary(op), rest @ ..] = steps
            && let Some((lo, hi)) = bounds(*op)
        {
            // Rounding is monotonic and keeps these bounds, so it may as well come after.
            bias_clip(values, self.operands[*operand].get(at.row), lo, hi);
            steps = rest;
            if steps.is_empty() {
                return;
            }
        }
        for (i, op) in steps.iter().enumerate() {
            // The result of the product and its bias is rounded once; the last step is rounded when it is stored.
            if self.steps.round_fp16 && !matches!(op, PostOp::Bias { .. }) {
                round_in_place(values);
            }
            match *op {
                PostOp::Unary(op) => unary_f32(op, values),
                PostOp::Bias { operand, along } => {
                    debug_assert_eq!(i, 0, "a bias comes first");
                    self.binary(Binary::Add, operand, along, false, at, values);
                }
                PostOp::Binary { op, operand, along, reversed } => {
                    self.binary(op, operand, along, reversed, at, values);
                }
            }
        }
    }

    fn binary(
        &self,
        op: Binary,
        operand: usize,
        along: Along,
        reversed: bool,
        at: Segment,
        values: &mut [f32],
    ) {
        let tensor = self.operands[operand];
        let n = values.len();
        let start = match along {
            Along::Row if !reversed => return binary_f32(op, values, Other::One(tensor.get(at.row))),
            Along::Row => {
                let mut buffer = [0f32; BLOCK];
                buffer[..n].fill(tensor.get(at.row));
                return binary_f32(op, values, Other::EachLeft(&buffer[..n]));
            }
            Along::Column => at.column,
            Along::Same => at.base + at.row * self.width + at.column,
        };
        let side = |other: &[f32], values: &mut [f32]| {
            binary_f32(op, values, if reversed { Other::EachLeft(other) } else { Other::Each(other) });
        };
        match tensor {
            Floats::F32(s) => side(&s[start..start + n], values),
            // Clearing a buffer that is larger than needed would cost more than the operation on a short row.
            Floats::F16(s) if n <= SHORT => {
                let mut buffer = [0f32; SHORT];
                crate::float::expand(&s[start..start + n], &mut buffer[..n]);
                side(&buffer[..n], values);
            }
            Floats::F16(s) => {
                let mut buffer = [0f32; BLOCK];
                crate::float::expand(&s[start..start + n], &mut buffer[..n]);
                side(&buffer[..n], values);
            }
        }
    }
}

/// The range of a function that only limits its argument, to bounds that are fp16 values.
fn bounds(op: Unary) -> Option<(f32, f32)> {
    match op {
        Unary::Relu => Some((0.0, f32::INFINITY)),
        Unary::Relu6 => Some((0.0, 6.0)),
        Unary::Clip { lo, hi } if [lo, hi].iter().all(|&v| mil_base::f16::from_f32(v).to_f32() == v) => {
            Some((lo, hi))
        }
        _ => None,
    }
}

simd! {
    fn bias_clip(values: &mut [f32], bias: f32, lo: f32, hi: f32) {
        for v in values {
            let x = *v + bias;
            let x = if x < lo { lo } else { x };
            *v = if x > hi { hi } else { x };
        }
    }
}
