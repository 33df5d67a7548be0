//! `scatter`: slices of a tensor changed by their index along an axis.

use super::indices::*;
use super::updating::{Change, MODES, Mode, RULE, kernel, updated};
use crate::contract::*;
use crate::support::axes::Around;
use crate::support::index::*;
use crate::support::words::Words;
use mil_base::{Opset, Shape, Type};

/// The card of `scatter`.
pub static SCATTER: OpDef = OpDef {
    name: "scatter",
    doc: Doc::page(include_str!("scatter.md")),
    versions: &[
        Version::new(Opset::Ios15, &[DATA, INDICES, UPDATES, AXIS, MODE]),
        Version::new(Opset::Ios17, &[DATA, INDICES, UPDATES, AXIS, MODE, VALIDATE]),
    ],
    constraints: &[
        Constraint { slug: "scatter/axis-in-range", rule: "axis is in -rank..rank" },
        Constraint { slug: "scatter/mode-known", rule: RULE },
        Constraint {
            slug: "scatter/updates-shape",
            rule: "updates has the shape of data with the axis replaced by the shape of indices",
        },
        Constraint {
            slug: "scatter/index-in-range",
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

pub(super) const DATA: Param = Param::tensor("data", sets::NUMBER).group("T");
pub(super) const UPDATES: Param = Param::tensor("updates", sets::NUMBER).group("T");
pub(super) const MODE: Param = Param::constant("mode", sets::STRING).or(Default::Str("add"));

/// The slugs under which a scatter op reports the rules they share.
pub(super) struct Slugs {
    pub(super) mode: &'static str,
    pub(super) updates: &'static str,
    pub(super) index: &'static str,
}

const SLUGS: Slugs =
    Slugs { mode: "scatter/mode-known", updates: "scatter/updates-shape", index: "scatter/index-in-range" };

impl Slugs {
    /// Checks mode, shape of the updates and the known indices, which come with the size of their axis.
    pub(super) fn check(
        &self,
        cx: &mut Infer<'_>,
        wanted: &Shape,
        known: impl Iterator<Item = (i64, usize)>,
    ) -> Result<(), Refused> {
        let mode = cx.need_str("mode")?;
        if Mode::parse(&mode).is_none() {
            cx.report(self.mode, "mode", format!("there is no mode `{mode}`"), MODES);
        }
        let updates = cx.need("updates")?;
        if !updates.shape.may_equal(wanted) {
            let message = format!("`updates` is {} but {wanted} is to be changed", updates.shape);
            cx.report(self.updates, "updates", message, format!("give `updates` the shape {wanted}"));
        }
        check_known(cx, self.index, true, known)
    }

    /// The mode of an executed op, once the updates have the wanted shape.
    pub(super) fn mode_of(&self, call: &RefCall<'_>, wanted: &[usize]) -> Result<Mode, Failure> {
        let (mode, updates) = (call.str("mode")?, call.arg("updates")?);
        if updates.shape != wanted {
            let message = format!("`updates` is {:?} but {wanted:?} is to be changed", updates.shape);
            return Err(Failure::new(self.updates, message));
        }
        Mode::parse(&mode).ok_or_else(|| Failure::new(self.mode, format!("there is no mode `{mode}`")))
    }
}

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let (data, indices) = (cx.need("data")?, cx.need("indices")?);
    let axis = cx.need_int("axis")?;
    let axis = cx.axis("scatter/axis-in-range", "axis", axis, data.shape.rank())?;
    let wanted = Shape([&data.shape[..axis], &indices.shape[..], &data.shape[axis + 1..]].concat());
    SLUGS.check(cx, &wanted, known_along(cx, data.shape[axis]))?;
    cx.one(data.dtype, data.shape.clone())
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (data, indices) = (call.arg("data")?, call.arg("indices")?);
    let axis = axis_of(call.int("axis")?, data.shape.len())?;
    let wanted = [&data.shape[..axis], &indices.shape[..], &data.shape[axis + 1..]].concat();
    let mode = SLUGS.mode_of(call, &wanted)?;
    let outside = Outside::of(call.version, call, true);
    let (strides, index_strides, values) =
        (row_major(&data.shape), row_major(&indices.shape), indices.i64s());
    let targets = try_each(&wanted, |at| {
        let (before, rest) = at.split_at(axis);
        let (middle, after) = rest.split_at(indices.shape.len());
        let index = values[position(&index_strides, middle)];
        let place = outside.place(index, data.shape[axis]).map_err(|e| e.failure(SLUGS.index))?;
        Ok(place.map(|i| position(&strides, &[before, &[i], after].concat())))
    })?;
    Ok(vec![updated(mode, data, &targets, call.arg("updates")?)?])
}

/// The mode of an op that is planned.
pub(super) fn planned_mode(cx: &CpuCx<'_>) -> Result<Mode, Failure> {
    cx.view.str("mode").and_then(|m| Mode::parse(&m)).ok_or_else(|| cx.unplanned("mode"))
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let data = cx.ty("data")?;
    let axis = cx.view.int("axis").ok_or_else(|| cx.unplanned("axis"))?;
    let around = Around::new(&data.shape, axis_of(axis, data.shape.len())?);
    let picks = cx.ty("indices")?.count();
    let (words, outside) = (Words::of(cx, "indices")?, Outside::of(cx.view.version, &cx.view, true));
    kernel(cx, planned_mode(cx)?, around.after, move |call, change| {
        let words = words.read(call)?;
        for outer in 0..around.before {
            for i in 0..picks {
                let place = outside.place(words.at(i), around.along).map_err(|e| e.failure(SLUGS.index))?;
                if let Some(at) = place {
                    let (from, to) = (outer * picks + i, outer * around.along + at);
                    change(Change { from: from * around.after, to: to * around.after })?;
                }
            }
        }
        Ok(())
    })
}
