//! `gather_along_axis`: for each place of the result an index along one axis.

use super::gather::{check_known, outside, outside_of, picked};
use super::indices::*;
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
        Version::new(
            Opset::Ios15,
            &[Param::tensor("x", sets::NUMBER).group("T"), Param::tensor("indices", sets::INT32), AXIS],
        ),
        Version::new(
            Opset::Ios16,
            &[
                Param::tensor("x", sets::NUMBER).group("T"),
                Param::tensor("indices", INDICES_16).group("I"),
                AXIS,
            ],
        ),
        Version::new(
            Opset::Ios17,
            &[
                Param::tensor("x", sets::NUMBER_17).group("T"),
                Param::tensor("indices", INDICES_17).group("I"),
                AXIS,
                Param::constant("validate_indices", sets::BOOL).or(Default::Bool(false)),
            ],
        ),
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

const AXIS: Param = Param::constant("axis", sets::INT32).or(Default::Int(0));

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let (x, indices) = (cx.need("x")?, cx.need("indices")?);
    let rank = x.shape.rank();
    let axis = cx.need_int("axis")?;
    let axis = cx.axis("gather_along_axis/axis-in-range", "axis", axis, rank)?;
    let fits = indices.shape.rank() == rank
        && (0..rank).all(|d| d == axis || indices.shape[d].may_equal(x.shape[d]));
    if !fits {
        let message = format!("`indices` is {} but x is {}", indices.shape, x.shape);
        let help = format!("both have one rank, and the same sizes except along axis {axis}");
        return Err(cx.refuse("gather_along_axis/sizes-match", "indices", message, help));
    }
    if let (Some(known), Some(n)) = (cx.ints("indices"), x.shape[axis].known()) {
        check_known(cx, "gather_along_axis/index-in-range", known.iter().map(|&i| (i, n)));
    }
    cx.one(x.dtype, indices.shape.clone())
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (x, indices) = (call.arg("x")?, call.arg("indices")?);
    let rank = x.shape.len();
    let axis = axis_of(call.int("axis")?, rank)?;
    if indices.shape.len() != rank || (0..rank).any(|d| d != axis && indices.shape[d] != x.shape[d]) {
        let message = format!("`indices` is {:?} but x is {:?}", indices.shape, x.shape);
        return Err(Failure::new("gather_along_axis/sizes-match", message));
    }
    let outside = outside(call, false)?;
    let (strides, mut values) = (row_major(&x.shape), indices.i64s().into_iter());
    let from = try_each(&indices.shape, |at| {
        let place = outside.place(values.next().unwrap_or(0), x.shape[axis]);
        let place = place.map_err(|e| e.failure("gather_along_axis/index-in-range"))?;
        Ok(place.map(|i| position(&strides, at) - at[axis] * strides[axis] + i * strides[axis]))
    })?;
    Ok(vec![picked(x, &indices.shape, &from)])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (x, slot) = (cx.ty("x")?, cx.need("x")?);
    let axis = cx.view.int("axis").ok_or_else(|| cx.unplanned("axis"))?;
    let axis = axis_of(axis, x.shape.len())?;
    let around = Around::new(&x.shape, axis);
    let indices = cx.ty("indices")?;
    let (count, picks) = (indices.count(), indices.shape.get(axis).copied().unwrap_or(1));
    let (words, outside, bytes) = (Words::of(cx, "indices")?, outside_of(cx, false), element_size(cx, 0)?);
    Ok(CpuKernel::new(move |call| {
        let words = words.read(call)?;
        if outside.checks() {
            for i in 0..count {
                let place = outside.place(words.at(i), around.along);
                place.map_err(|e| e.failure("gather_along_axis/index-in-range"))?;
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
