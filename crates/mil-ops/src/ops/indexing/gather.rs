//! `gather`: slices of a tensor by their index along an axis.

use super::indices::*;
use super::reading::{Rows, kernel, picked};
use crate::contract::*;
use crate::support::axes::Around;
use crate::support::index::*;
use crate::support::words::Ints;
use mil_base::{Opset, Shape, Type};

/// The card of `gather`.
pub static GATHER: OpDef = OpDef {
    name: "gather",
    doc: Doc::page(include_str!("gather.md")),
    versions: &[
        Version::new(Opset::Ios15, &[X, INDICES, AXIS]),
        Version::new(Opset::Ios16, &[X, INDICES_16, AXIS, BATCH_DIMS]),
        Version::new(Opset::Ios17, &[X_17, INDICES_17, AXIS, BATCH_DIMS, VALIDATE]),
    ],
    constraints: &[
        Constraint { slug: "gather/axis-in-range", rule: "axis is in -rank..rank" },
        Constraint {
            slug: "gather/batch-dims",
            rule: "batch_dims is not negative, not more than axis or the rank of indices, and those sizes agree",
        },
        Constraint {
            slug: "gather/index-in-range",
            rule: "known indices are in range, unless iOS 17 leaves them unchecked",
        },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: GRADIENT_LATER,
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let (x, indices) = (cx.need("x")?, cx.need("indices")?);
    let axis = cx.need_int("axis")?;
    let axis = cx.axis("gather/axis-in-range", "axis", axis, x.shape.rank())?;
    let batch = need_batch_dims(cx)?;
    let most = axis.min(indices.shape.rank());
    let Some(batch) = usize::try_from(batch).ok().filter(|&b| b <= most) else {
        let message =
            format!("{batch} batch dimensions with axis {axis} and indices of rank {}", indices.shape.rank());
        return Err(cx.refuse("gather/batch-dims", "batch_dims", message, format!("use 0 to {most}")));
    };
    if !x.shape[..batch].iter().zip(&indices.shape[..batch]).all(|(a, b)| a.may_equal(*b)) {
        let message =
            format!("the first {batch} sizes of x {} and indices {} differ", x.shape, indices.shape);
        let help = "batch dimensions are shared by x and indices";
        return Err(cx.refuse("gather/batch-dims", "indices", message, help));
    }
    check_known(cx, "gather/index-in-range", false, known_along(cx, x.shape[axis]))?;
    let dims = [&x.shape[..axis], &indices.shape[batch..], &x.shape[axis + 1..]].concat();
    cx.one(x.dtype, Shape(dims))
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (x, indices) = (call.arg("x")?, call.arg("indices")?);
    let axis = axis_of(call.int("axis")?, x.shape.len())?;
    let batch =
        usize::try_from(batch_dims(call.version, call)).unwrap_or(0).min(axis).min(indices.shape.len());
    let outside = Outside::of(call.version, call, false);
    let inner = indices.shape.len() - batch;
    let shape = [&x.shape[..axis], &indices.shape[batch..], &x.shape[axis + 1..]].concat();
    if x.shape[..batch] != indices.shape[..batch] {
        return Err(Failure::new("gather/batch-dims", "the batch sizes of x and indices differ"));
    }
    let (strides, index_strides, values) = (row_major(&x.shape), row_major(&indices.shape), indices.i64s());
    let from = try_each(&shape, |at| {
        let (before, rest) = at.split_at(axis);
        let (middle, after) = rest.split_at(inner);
        let index = values[position(&index_strides, &[&before[..batch], middle].concat())];
        let place = outside.place(index, x.shape[axis]).map_err(|e| e.failure("gather/index-in-range"))?;
        Ok(place.map(|i| position(&strides, &[before, &[i], after].concat())))
    })?;
    Ok(vec![picked(x, &shape, &from)])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (x, indices) = (cx.ty("x")?, cx.ty("indices")?);
    let axis = cx.view.int("axis").ok_or_else(|| cx.unplanned("axis"))?;
    let axis = axis_of(axis, x.shape.len())?;
    let batch = usize::try_from(batch_dims(cx.view.version, &cx.view)).unwrap_or(0);
    let batch = batch.min(axis).min(indices.shape.len());
    let outside = Outside::of(cx.view.version, &cx.view, false);
    let rows = Lines {
        batches: x.shape[..batch].iter().product(),
        around: Around::new(&x.shape[batch..], axis - batch),
        picks: indices.shape[batch..].iter().product(),
        outside,
    };
    kernel(cx, outside, "gather/index-in-range", rows)
}

/// Within each of the batches, x is [before, along, after] and the result [before, picks, after].
struct Lines {
    batches: usize,
    around: Around,
    picks: usize,
    outside: Outside,
}

impl Rows for Lines {
    fn width(&self) -> usize {
        self.around.after
    }

    fn check(&self, indices: &Ints<'_>) -> Result<(), OutOfRange> {
        let mut all = 0..self.batches * self.picks;
        all.try_for_each(|i| self.outside.place(indices.at(i), self.around.along).map(drop))
    }

    fn begin(&self, indices: &Ints<'_>, row: usize) -> Result<Option<usize>, OutOfRange> {
        let Around { before, along, after } = self.around;
        let (outer, pick) = (row / self.picks, row % self.picks);
        let index = indices.at(outer / before.max(1) * self.picks + pick);
        Ok(self.outside.place(index, along)?.map(|at| (outer * along + at) * after))
    }
}
