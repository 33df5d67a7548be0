//! `gather`: slices of a tensor by their index along an axis.

use super::indices::*;
use crate::contract::*;
use crate::support::axes::Around;
use crate::support::index::*;
use crate::support::moves::{GRAIN, by_size, element_size, output};
use crate::support::words::Words;
use mil_base::{Opset, Shape, Type};
use mil_kernels::{bytes_as, bytes_as_mut};

/// The card of `gather`.
pub static GATHER: OpDef = OpDef {
    name: "gather",
    doc: Doc::page(include_str!("gather.md")),
    versions: &[
        Version::new(
            Opset::Ios15,
            &[
                Param::tensor("x", sets::NUMBER).group("T"),
                Param::tensor("indices", sets::INT32),
                Param::constant("axis", sets::INT32).or(Default::Int(0)),
            ],
        ),
        Version::new(
            Opset::Ios16,
            &[
                Param::tensor("x", sets::NUMBER).group("T"),
                Param::tensor("indices", INDICES_16).group("I"),
                Param::constant("axis", sets::INT32).or(Default::Int(0)),
                Param::constant("batch_dims", sets::INT32).or(Default::Int(0)),
            ],
        ),
        Version::new(
            Opset::Ios17,
            &[
                Param::tensor("x", sets::NUMBER_17).group("T"),
                Param::tensor("indices", INDICES_17).group("I"),
                Param::constant("axis", sets::INT32).or(Default::Int(0)),
                Param::constant("batch_dims", sets::INT32).or(Default::Int(0)),
                Param::constant("validate_indices", sets::BOOL).or(Default::Bool(false)),
            ],
        ),
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
    let batch = if cx.version.since >= Opset::Ios16 { cx.need_int("batch_dims")? } else { 0 };
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
    if let (Some(known), Some(n)) = (cx.ints("indices"), x.shape[axis].known()) {
        check_known(cx, "gather/index-in-range", known.iter().map(|&i| (i, n)));
    }
    let dims = [&x.shape[..axis], &indices.shape[batch..], &x.shape[axis + 1..]].concat();
    cx.one(x.dtype, Shape(dims))
}

/// Reports the first known index that is out of its range.
pub(super) fn check_known(cx: &mut Infer<'_>, slug: &'static str, known: impl Iterator<Item = (i64, usize)>) {
    let validates =
        cx.version.param("validate_indices").is_some() && cx.bool("validate_indices") == Some(true);
    let outside = Outside::of(cx.version, validates, false);
    if let Some(wrong) = { known }.find_map(|(index, n)| outside.place(index, n).err()) {
        cx.report(slug, "indices", wrong.message(), HELP);
    }
}

/// What an executed op does with indices outside.
pub(super) fn outside(call: &RefCall<'_>, writes: bool) -> Result<Outside, Failure> {
    let validates = call.version.param("validate_indices").is_some() && call.bool("validate_indices")?;
    Ok(Outside::of(call.version, validates, writes))
}

/// The elements of `x` at these positions, zero where there is none.
pub(super) fn picked(x: &RefTensor, shape: &[usize], from: &[Option<usize>]) -> RefTensor {
    let mut with_zero = x.clone();
    with_zero.shape = vec![x.count() + 1];
    match &mut with_zero.data {
        RefData::Float(v) => v.push(0.0),
        RefData::Int(v) => v.push(0),
        RefData::Bool(v) => v.push(false),
        RefData::Text(v) => v.push(String::new()),
    }
    let zero = x.count();
    with_zero.select(shape, &from.iter().map(|at| at.unwrap_or(zero)).collect::<Vec<_>>())
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (x, indices) = (call.arg("x")?, call.arg("indices")?);
    let axis = axis_of(call.int("axis")?, x.shape.len())?;
    let batch = if call.version.since >= Opset::Ios16 { call.int("batch_dims")? } else { 0 };
    let batch = usize::try_from(batch).unwrap_or(0).min(axis).min(indices.shape.len());
    let outside = outside(call, false)?;
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
    let (x, slot) = (cx.ty("x")?, cx.need("x")?);
    let axis = cx.view.int("axis").ok_or_else(|| cx.unplanned("axis"))?;
    let axis = axis_of(axis, x.shape.len())?;
    let indices = cx.ty("indices")?;
    let batch =
        if cx.view.version.since >= Opset::Ios16 { cx.view.int("batch_dims").unwrap_or(0) } else { 0 };
    let batch = usize::try_from(batch).unwrap_or(0).min(axis).min(indices.shape.len());
    let batches: usize = x.shape[..batch].iter().product();
    // Within one part of the batch, x is [before, along, after] and the result [before, picks, after].
    let around = Around::new(&x.shape[batch..], axis - batch);
    let picks: usize = indices.shape[batch..].iter().product();
    let (words, outside, bytes) = (Words::of(cx, "indices")?, outside_of(cx, false), element_size(cx, 0)?);
    Ok(CpuKernel::new(move |call| {
        let words = words.read(call)?;
        if outside.checks() {
            for i in 0..batches * picks {
                outside.place(words.at(i), around.along).map_err(|e| e.failure("gather/index-in-range"))?;
            }
        }
        let (x, pool) = (call.read(slot)?, call.pool);
        let out = output(call, 0)?;
        by_size!(bytes, T => {
            let (x, out) = (bytes_as::<T>(x), bytes_as_mut::<T>(out));
            pool.for_pieces(out, around.after, (GRAIN / around.after.max(1)).max(1), |row, line| {
                let (outer, pick) = (row / picks, row % picks);
                let index = words.at(outer / around.before.max(1) * picks + pick);
                match outside.place(index, around.along) {
                    Ok(Some(at)) => {
                        let from = (outer * around.along + at) * around.after;
                        line.copy_from_slice(&x[from..from + line.len()]);
                    }
                    _ => line.fill(0),
                }
            });
        });
        Ok(())
    }))
}

/// What an op that is planned does with indices outside.
pub(super) fn outside_of(cx: &CpuCx<'_>, writes: bool) -> Outside {
    let version = cx.view.version;
    let validates =
        version.param("validate_indices").is_some() && cx.view.bool("validate_indices") == Some(true);
    Outside::of(version, validates, writes)
}
