//! `tile`: a tensor repeated along its dimensions.

use super::common::{Problem, X};
use crate::contract::*;
use crate::support::index::*;
use crate::support::moves::Walk;
use mil_base::{Dim, Opset, Shape, Type};

/// The card of `tile`.
pub static TILE: OpDef = OpDef {
    name: "tile",
    doc: Doc::page(include_str!("tile.md")),
    versions: &[Version::new(Opset::Ios15, &[X, Param::tensor("reps", sets::INT32)])],
    constraints: &[Constraint {
        slug: "tile/reps",
        rule: "reps has one entry for each dimension of x, each 1 or more; x is no scalar",
    }],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: GRADIENT_LATER,
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    let rank = x.shape.rank();
    let reps = cx.need("reps")?;
    if rank == 0 || reps.shape.rank() != 1 || !reps.shape[0].may_equal(rank.into()) {
        let message = format!("`reps` is {} but x has rank {rank}", reps.shape);
        return Err(cx.refuse("tile/reps", "reps", message, "give one entry for each dimension of x"));
    }
    let Some(reps) = cx.ints("reps") else {
        return cx.one(x.dtype, Shape(vec![Dim::Unknown; rank]));
    };
    match tiled(&x.shape, &reps) {
        Ok(shape) => cx.one(x.dtype, Shape(shape)),
        Err(problem) => Err(problem.refuse(cx, "reps")),
    }
}

/// The shape of `x` repeated.
fn tiled(x: &[Dim], reps: &[i64]) -> Result<Vec<Dim>, Problem> {
    let wrong = |message: String| {
        Problem::new("tile/reps", message, "give the number of copies along each dimension")
    };
    if reps.len() != x.len() {
        return Err(wrong(format!("`reps` has {} entries but x has rank {}", reps.len(), x.len())));
    }
    let repeated = |(&dim, &rep): (&Dim, &i64)| match usize::try_from(rep) {
        Ok(1) => Ok(dim),
        Ok(rep) if rep > 0 => Ok(dim.map(|n| n.checked_mul(rep))),
        _ => Err(wrong(format!("x cannot be repeated {rep} times"))),
    };
    x.iter().zip(reps).map(repeated).collect()
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let shape = Shape(tiled(&Shape::known(&x.shape), &call.ints("reps")?)?);
    let shape =
        shape.sizes().ok_or_else(|| Failure::new("op/result-too-large", "the tiled tensor is too large"))?;
    let strides = row_major(&x.shape);
    let from = each(&shape, |at| (0..at.len()).map(|d| at[d] % x.shape[d] * strides[d]).sum())?;
    Ok(vec![x.select(&shape, &from)])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let x = cx.ty("x")?;
    let out = cx.outputs.first().ok_or_else(|| cx.unplanned("x"))?;
    // Copies counted at run time may disagree with the declared sizes; then the definition says so.
    cx.view.ints("reps").ok_or_else(|| cx.unplanned("reps"))?;
    let strides = row_major(&x.shape);
    let mut walk = Walk::new(&[], &[]);
    for ((&size, &tiled), &step) in x.shape.iter().zip(&out.shape).zip(&strides) {
        walk.sizes.extend([tiled.checked_div(size).unwrap_or(1), size]);
        walk.steps.extend([0, step as isize]);
    }
    walk.kernel(cx, cx.need("x")?, &x.shape)
}
