//! `gather_nd`: slices of a tensor by the first few of their indices.

use super::indices::*;
use super::reading::{Rows, kernel, picked};
use crate::contract::*;
use crate::support::index::*;
use crate::support::words::Ints;
use mil_base::{Dim, Opset, Shape, Type};

/// The card of `gather_nd`.
pub static GATHER_ND: OpDef = OpDef {
    name: "gather_nd",
    doc: Doc::page(include_str!("gather_nd.md")),
    versions: &[
        Version::new(Opset::Ios15, &[X, INDICES]),
        Version::new(Opset::Ios16, &[X, INDICES_16, BATCH_DIMS]),
        Version::new(Opset::Ios17, &[X_17, INDICES_17, BATCH_DIMS, VALIDATE]),
    ],
    constraints: &[
        Constraint {
            slug: "gather_nd/index-length",
            rule: "the last size of indices is known and, with batch_dims, not more than the rank of x",
        },
        Constraint {
            slug: "gather_nd/batch-dims",
            rule: "batch_dims is not negative and less than the rank of indices, and those sizes agree",
        },
        Constraint {
            slug: "gather_nd/index-in-range",
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
    let batch = need_batch_dims(cx)?;
    let most = indices.shape.rank().saturating_sub(1).min(x.shape.rank());
    let agree = |b: usize| x.shape[..b].iter().zip(&indices.shape[..b]).all(|(a, b)| a.may_equal(*b));
    let Some(batch) = usize::try_from(batch).ok().filter(|&b| b <= most && agree(b)) else {
        let message = format!("{batch} batch dimensions of x {} and indices {}", x.shape, indices.shape);
        let help = "the first `batch_dims` sizes of x and indices are the same";
        return Err(cx.refuse("gather_nd/batch-dims", "batch_dims", message, help));
    };
    let depth = indices.shape.last().and_then(|d| d.known()).filter(|&d| d <= x.shape.rank() - batch);
    let Some(depth) = depth else {
        let message = format!(
            "an index of x, which has rank {}, cannot have {} entries",
            x.shape.rank(),
            indices.shape.last().copied().unwrap_or(Dim::Known(0))
        );
        let help = "the last dimension of `indices` holds one entry for each dimension it selects from";
        return Err(cx.refuse("gather_nd/index-length", "indices", message, help));
    };
    if let (Some(known), Some(sizes)) =
        (cx.ints("indices"), Shape(x.shape[batch..batch + depth].to_vec()).sizes())
    {
        check_known(cx, "gather_nd/index-in-range", false, known.into_iter().zip(sizes.into_iter().cycle()))?;
    }
    let dims = [&indices.shape[..indices.shape.rank() - 1], &x.shape[batch + depth..]].concat();
    cx.one(x.dtype, Shape(dims))
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (x, indices) = (call.arg("x")?, call.arg("indices")?);
    let batch = usize::try_from(batch_dims(call.version, call)).unwrap_or(0);
    let (Some((&depth, outer)), Some(inner)) = (
        indices.shape.split_last(),
        indices.shape.last().and_then(|d| x.shape.get(batch.checked_add(*d)?..)),
    ) else {
        return Err(Failure::new(
            "gather_nd/index-length",
            "an index has more entries than x has dimensions",
        ));
    };
    if outer.get(..batch) != Some(&x.shape[..batch]) {
        return Err(Failure::new("gather_nd/batch-dims", "the batch sizes of x and indices differ"));
    }
    let outside = Outside::of(call.version, call, false);
    let shape = [outer, inner].concat();
    let (strides, index_strides, values) = (row_major(&x.shape), row_major(&indices.shape), indices.i64s());
    let from = try_each(&shape, |at| {
        let (outer_at, inner_at) = at.split_at(outer.len());
        let first = position(&index_strides, outer_at);
        let mut place = outer_at[..batch].to_vec();
        for (entry, &n) in values[first..first + depth].iter().zip(&x.shape[batch..]) {
            match outside.place(*entry, n).map_err(|e| e.failure("gather_nd/index-in-range"))? {
                Some(i) => place.push(i),
                None => return Ok(None),
            }
        }
        place.extend_from_slice(inner_at);
        Ok(Some(position(&strides, &place)))
    })?;
    Ok(vec![picked(x, &shape, &from)])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (x, indices) = (cx.ty("x")?, cx.ty("indices")?);
    let batch = usize::try_from(batch_dims(cx.view.version, &cx.view)).unwrap_or(0);
    let (&depth, outer) = indices.shape.split_last().ok_or_else(|| cx.unplanned("indices"))?;
    let slices = Slices::new(&x.shape, batch, depth).ok_or_else(|| cx.unplanned("indices"))?;
    let picks: usize = outer.iter().product();
    let each_batch = picks / outer.get(..batch).map_or(1, |b| b.iter().product::<usize>()).max(1);
    let outside = Outside::of(cx.view.version, &cx.view, false);
    let rows = Batches { slices, picks, each_batch: each_batch.max(1), outside };
    kernel(cx, outside, "gather_nd/index-in-range", rows)
}

/// One vector of indices for each row of the result.
struct Batches {
    slices: Slices,
    /// Rows.
    picks: usize,
    /// Rows of one part of the batch, at least 1.
    each_batch: usize,
    outside: Outside,
}

impl Rows for Batches {
    fn width(&self) -> usize {
        self.slices.after
    }

    fn check(&self, indices: &Ints<'_>) -> Result<(), OutOfRange> {
        (0..self.picks).try_for_each(|row| self.slices.find(indices, row, self.outside).map(drop))
    }

    fn begin(&self, indices: &Ints<'_>, row: usize) -> Result<Option<usize>, OutOfRange> {
        let place = self.slices.find(indices, row, self.outside)?;
        Ok(place.map(|at| row / self.each_batch * self.slices.batch_step + at))
    }
}

/// The slices of a tensor that vectors of `depth` indices name, behind some batch dimensions.
pub(super) struct Slices {
    /// Sizes and steps of the dimensions that are indexed.
    axes: Vec<(usize, usize)>,
    /// Elements of one part of the batch.
    batch_step: usize,
    /// Elements of a slice.
    pub(super) after: usize,
}

impl Slices {
    /// Of a tensor of that shape; nothing if it has too few dimensions.
    pub(super) fn new(shape: &[usize], batch: usize, depth: usize) -> Option<Slices> {
        let inner = shape.get(batch.checked_add(depth)?..)?;
        let indexed = shape[batch..batch + depth].iter().copied();
        Some(Slices {
            axes: indexed.zip(row_major(&shape[batch..])).collect(),
            batch_step: shape[batch..].iter().product(),
            after: inner.iter().product(),
        })
    }

    /// Where the slice begins that vector `row` names, within its part of the batch; nothing if it is outside and
    /// ignored.
    pub(super) fn find(
        &self,
        words: &Ints<'_>,
        row: usize,
        outside: Outside,
    ) -> Result<Option<usize>, OutOfRange> {
        let mut at = 0;
        let mut ignored = false;
        for (i, &(n, step)) in self.axes.iter().enumerate() {
            match outside.place(words.at(row * self.axes.len() + i), n)? {
                Some(place) => at += place * step,
                None => ignored = true,
            }
        }
        Ok((!ignored).then_some(at))
    }
}
