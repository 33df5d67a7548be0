//! `transpose`: the dimensions in another order.

use super::common::{X, X_17};
use crate::contract::*;
use crate::support::index::*;
use crate::support::moves::Walk;
use mil_base::{Opset, Shape, Type};

/// The card of `transpose`.
pub static TRANSPOSE: OpDef = OpDef {
    name: "transpose",
    doc: Doc::page(include_str!("transpose.md")),
    versions: &[
        Version::new(Opset::Ios15, &[X, Param::constant("perm", sets::INT32)]),
        Version::new(Opset::Ios17, &[X_17, Param::constant("perm", sets::INT32)]),
    ],
    constraints: &[Constraint {
        slug: "transpose/perm-names-each-axis",
        rule: "perm names every axis of x, in -rank..rank, once",
    }],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: GRADIENT_LATER,
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

const SLUG: &str = "transpose/perm-names-each-axis";

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    let perm = cx.need_ints("perm")?;
    let rank = x.shape.rank();
    if perm.len() != rank {
        let message = format!("`perm` has {} entries but x has rank {rank}", perm.len());
        return Err(cx.refuse(SLUG, "perm", message, "name every axis of x once"));
    }
    let perm = distinct_axes(cx, SLUG, "perm", &perm, rank)?;
    cx.one(x.dtype, Shape(perm.into_iter().map(|axis| x.shape[axis]).collect()))
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let perm = call.ints("perm")?;
    let perm = perm.into_iter().map(|a| axis_of(a, x.shape.len())).collect::<Result<Vec<_>, _>>()?;
    let strides = row_major(&x.shape);
    let shape: Vec<usize> = perm.iter().map(|&axis| x.shape[axis]).collect();
    let from = each(&shape, |at| perm.iter().zip(at).map(|(&axis, i)| strides[axis] * i).sum())?;
    Ok(vec![x.select(&shape, &from)])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let x = cx.ty("x")?;
    let perm = cx.view.ints("perm").ok_or_else(|| cx.unplanned("perm"))?;
    let perm = perm.into_iter().map(|a| axis_of(a, x.shape.len())).collect::<Result<Vec<_>, _>>()?;
    let strides = row_major(&x.shape);
    // Dimensions that stay neighbours become one, so that the planes to transpose are as large as they can be.
    let (mut sizes, mut steps): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
    for axis in perm.into_iter().filter(|&a| x.shape[a] != 1) {
        match (sizes.last_mut(), steps.last_mut()) {
            (Some(size), Some(step)) if *step == strides[axis] * x.shape[axis] => {
                *size *= x.shape[axis];
                *step = strides[axis];
            }
            _ => {
                sizes.push(x.shape[axis]);
                steps.push(strides[axis]);
            }
        }
    }
    Walk::new(&sizes, &steps).kernel(cx, cx.need("x")?, &x.shape)
}
