//! `scatter_along_axis`: elements changed, each by an index along one axis.

use super::along::Along;
use super::indices::*;
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
    accuracy: Accuracy::sum(5e-7),
};

const ALONG: Along = Along {
    data: "data",
    axis: "scatter_along_axis/axis-in-range",
    sizes: "scatter_along_axis/sizes-match",
    index: "scatter_along_axis/index-in-range",
};

const SLUGS: Slugs = Slugs {
    mode: "scatter_along_axis/mode-known",
    updates: "scatter_along_axis/updates-shape",
    index: ALONG.index,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let axis = ALONG.infer(cx)?;
    let (data, indices) = (cx.need("data")?, cx.need("indices")?);
    SLUGS.check(cx, &indices.shape, known_along(cx, data.shape[axis]))?;
    cx.one(data.dtype, data.shape.clone())
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let axis = ALONG.resolve(call)?;
    let mode = SLUGS.mode_of(call, &call.arg("indices")?.shape)?;
    let targets = ALONG.places(call, axis, Outside::of(call.version, call, true))?;
    Ok(vec![updated(mode, call.arg("data")?, &targets, call.arg("updates")?)?])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (data, indices) = (cx.ty("data")?, cx.ty("indices")?);
    let axis = cx.view.int("axis").ok_or_else(|| cx.unplanned("axis"))?;
    let axis = axis_of(axis, data.shape.len())?;
    let around = Around::new(&data.shape, axis);
    let (count, picks) = (indices.count(), indices.shape.get(axis).copied().unwrap_or(1));
    let (words, outside) = (Words::of(cx, "indices")?, Outside::of(cx.view.version, &cx.view, true));
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
