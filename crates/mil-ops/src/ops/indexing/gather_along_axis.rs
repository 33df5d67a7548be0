//! `gather_along_axis`: for each place of the result an index along one axis.

use super::along::Along;
use super::indices::*;
use super::reading::picked;
use crate::contract::*;
use crate::support::axes::Around;
use crate::support::index::*;
use crate::support::moves::{GRAIN, by_size, element_size, output};
use crate::support::words::Words;
use mil_base::{Opset, Type};
use mil_kernels::{bytes_as, bytes_as_mut};

/// The card of `gather_along_axis`.
pub static GATHER_ALONG_AXIS: OpDef = OpDef {
    name: "gather_along_axis",
    doc: Doc::page(include_str!("gather_along_axis.md")),
    versions: &[
        Version::new(Opset::Ios15, &[X, INDICES, AXIS]),
        Version::new(Opset::Ios16, &[X, INDICES_16, AXIS]),
        Version::new(Opset::Ios17, &[X_17, INDICES_17, AXIS, VALIDATE]),
    ],
    constraints: &[
        Constraint { slug: "gather_along_axis/axis-in-range", rule: "axis is in -rank..rank" },
        Constraint {
            slug: "gather_along_axis/sizes-match",
            rule: "indices has the rank of x, and its sizes except along axis",
        },
        Constraint {
            slug: "gather_along_axis/index-in-range",
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

const ALONG: Along = Along {
    data: "x",
    axis: "gather_along_axis/axis-in-range",
    sizes: "gather_along_axis/sizes-match",
    index: "gather_along_axis/index-in-range",
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let axis = ALONG.infer(cx)?;
    let (x, indices) = (cx.need("x")?, cx.need("indices")?);
    check_known(cx, ALONG.index, false, known_along(cx, x.shape[axis]))?;
    cx.one(x.dtype, indices.shape.clone())
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let axis = ALONG.resolve(call)?;
    let from = ALONG.places(call, axis, Outside::of(call.version, call, false))?;
    Ok(vec![picked(call.arg("x")?, &call.arg("indices")?.shape, &from)])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (x, slot) = (cx.ty("x")?, cx.need("x")?);
    let axis = cx.view.int("axis").ok_or_else(|| cx.unplanned("axis"))?;
    let axis = axis_of(axis, x.shape.len())?;
    let around = Around::new(&x.shape, axis);
    let indices = cx.ty("indices")?;
    let (count, picks) = (indices.count(), indices.shape.get(axis).copied().unwrap_or(1));
    let (words, bytes) = (Words::of(cx, "indices")?, element_size(cx, 0)?);
    let outside = Outside::of(cx.view.version, &cx.view, false);
    Ok(CpuKernel::new(move |call| {
        let words = words.read(call)?;
        if outside.checks() {
            for i in 0..count {
                let place = outside.place(words.at(i), around.along);
                place.map_err(|e| e.failure(ALONG.index))?;
            }
        }
        let (x, pool) = (call.read(slot)?, call.pool);
        let out = output(call, 0)?;
        by_size!(bytes, T => {
            let (x, out) = (bytes_as::<T>(x), bytes_as_mut::<T>(out));
            pool.for_pieces(out, around.after, (GRAIN / around.after.max(1)).max(1), |row, line| {
                let first = row / picks.max(1) * around.along;
                for (k, o) in line.iter_mut().enumerate() {
                    *o = match outside.place(words.at(row * around.after + k), around.along) {
                        Ok(Some(at)) => x[(first + at) * around.after + k],
                        _ => 0,
                    };
                }
            });
        });
        Ok(())
    }))
}
