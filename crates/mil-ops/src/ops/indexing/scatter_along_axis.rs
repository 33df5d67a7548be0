//! `scatter_along_axis`: elements changed, each by an index along one axis.

use super::gather::{outside, outside_of};
use super::scatter::*;
use super::updating::{Change, RULE, kernel, updated};
use crate::contract::*;
use crate::support::axes::Around;
use crate::support::index::*;
use crate::support::words::Words;
use mil_base::{Opset, Type};

/// The card of `scatter_along_axis`.
pub static SCATTER_ALONG_AXIS: OpDef = OpDef {
    name: "scatter_along_axis",
    doc: Doc::page(include_str!("scatter_along_axis.md")),
    versions: &[
        Version::new(Opset::Ios15, &[DATA, INDICES, UPDATES, AXIS, MODE]),
        Version::new(Opset::Ios17, &[DATA, INDICES, UPDATES, AXIS, MODE, VALIDATE]),
    ],
    constraints: &[
        Constraint { slug: "scatter_along_axis/axis-in-range", rule: "axis is in -rank..rank" },
        Constraint { slug: "scatter_along_axis/mode-known", rule: RULE },
        Constraint {
            slug: "scatter_along_axis/sizes-match",
            rule: "indices has the rank of data, and its sizes except along axis",
        },
        Constraint { slug: "scatter_along_axis/updates-shape", rule: "updates has the shape of indices" },
        Constraint {
            slug: "scatter_along_axis/index-in-range",
            rule: "known indices are in range, unless iOS 17 leaves them unchecked",
        },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: GRADIENT_LATER,
    ane: ANE_LATER,
    cost: |op| Some(op.ty("updates")?.shape.count()? as u64),
    accuracy: Accuracy::sum(2e-6),
};

const SLUGS: Slugs = Slugs {
    mode: "scatter_along_axis/mode-known",
    updates: "scatter_along_axis/updates-shape",
    index: "scatter_along_axis/index-in-range",
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let (data, indices) = (cx.need("data")?, cx.need("indices")?);
    let rank = data.shape.rank();
    let axis = cx.need_int("axis")?;
    let axis = cx.axis("scatter_along_axis/axis-in-range", "axis", axis, rank)?;
    let fits = indices.shape.rank() == rank
        && (0..rank).all(|d| d == axis || indices.shape[d].may_equal(data.shape[d]));
    if !fits {
        let message = format!("`indices` is {} but data is {}", indices.shape, data.shape);
        let help = format!("both have one rank, and the same sizes except along axis {axis}");
        return Err(cx.refuse("scatter_along_axis/sizes-match", "indices", message, help));
    }
    let known = cx.ints("indices").filter(|_| data.shape[axis].known().is_some()).unwrap_or_default();
    let n = data.shape[axis].known().unwrap_or(0);
    SLUGS.check(cx, &indices.shape, known.into_iter().map(|i| (i, n)))?;
    cx.one(data.dtype, data.shape.clone())
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (data, indices) = (call.arg("data")?, call.arg("indices")?);
    let rank = data.shape.len();
    let axis = axis_of(call.int("axis")?, rank)?;
    if indices.shape.len() != rank || (0..rank).any(|d| d != axis && indices.shape[d] != data.shape[d]) {
        let message = format!("`indices` is {:?} but data is {:?}", indices.shape, data.shape);
        return Err(Failure::new("scatter_along_axis/sizes-match", message));
    }
    let mode = SLUGS.mode_of(call, &indices.shape)?;
    let outside = outside(call, true)?;
    let (strides, mut values) = (row_major(&data.shape), indices.i64s().into_iter());
    let targets = try_each(&indices.shape, |at| {
        let place = outside.place(values.next().unwrap_or(0), data.shape[axis]);
        let place = place.map_err(|e| e.failure(SLUGS.index))?;
        Ok(place.map(|i| position(&strides, at) - at[axis] * strides[axis] + i * strides[axis]))
    })?;
    Ok(vec![updated(mode, data, &targets, call.arg("updates")?)?])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (data, indices) = (cx.ty("data")?, cx.ty("indices")?);
    let axis = cx.view.int("axis").ok_or_else(|| cx.unplanned("axis"))?;
    let axis = axis_of(axis, data.shape.len())?;
    let around = Around::new(&data.shape, axis);
    let (count, picks) = (indices.count(), indices.shape.get(axis).copied().unwrap_or(1));
    let (words, outside) = (Words::of(cx, "indices")?, outside_of(cx, true));
    kernel(cx, planned_mode(cx)?, 1, move |call, change| {
        let words = words.read(call)?;
        for from in 0..count {
            let place = outside.place(words.at(from), around.along).map_err(|e| e.failure(SLUGS.index))?;
            if let Some(at) = place {
                let (outer, inner) = (from / (picks * around.after), from % around.after);
                change(Change { from, to: (outer * around.along + at) * around.after + inner })?;
            }
        }
        Ok(())
    })
}
