//! `slice_by_size`: a part of a tensor by its first index and its size.

use super::common::{INDEX_17, Problem, X, X_17};
use crate::contract::*;
use crate::support::index::*;
use crate::support::moves::Walk;
use crate::support::moves::{Copy, element_size, output};
use crate::support::words::Words;
use mil_base::{Dim, Opset, Shape, Type};

/// The card of `slice_by_size`.
pub static SLICE_BY_SIZE: OpDef = OpDef {
    name: "slice_by_size",
    doc: Doc::page(include_str!("slice_by_size.md")),
    versions: &[
        Version::new(
            Opset::Ios15,
            &[X, Param::tensor("begin", sets::INT32), Param::tensor("size", sets::INT32)],
        ),
        Version::new(
            Opset::Ios17,
            &[X_17, Param::tensor("begin", INDEX_17).group("U"), Param::tensor("size", INDEX_17).group("U")],
        ),
    ],
    constraints: &[
        Constraint {
            slug: "slice_by_size/lengths",
            rule: "begin and size have one entry for each dimension of x",
        },
        Constraint {
            slug: "slice_by_size/bounds",
            rule: "sizes are not below -1, and begin and begin + size lie within x",
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
    let x = cx.need("x")?;
    let rank = x.shape.rank();
    for name in ["begin", "size"] {
        let ty = cx.need(name)?;
        if ty.shape.rank() != 1 || !ty.shape[0].may_equal(rank.into()) {
            let message = format!("`{name}` is {} but x has rank {rank}", ty.shape);
            let help = "give one entry for each dimension of x";
            return Err(cx.refuse("slice_by_size/lengths", name, message, help));
        }
    }
    let (begins, sizes) = (cx.ints("begin"), cx.ints("size"));
    let entry = |values: &Option<Vec<i64>>, d: usize| values.as_ref().and_then(|v| v.get(d).copied());
    let mut dims = Vec::with_capacity(rank);
    for (d, &dim) in x.shape.iter().enumerate() {
        match part(dim, entry(&begins, d), entry(&sizes, d)) {
            Ok((_, size)) => dims.push(size),
            Err(problem) => return Err(problem.refuse(cx, "size")),
        }
    }
    cx.one(x.dtype, Shape(dims))
}

/// The first index, if known, and the size of the part of a dimension.
fn part(dim: Dim, begin: Option<i64>, size: Option<i64>) -> Result<(Option<usize>, Dim), Problem> {
    let wrong = |message: String| {
        Problem::new("slice_by_size/bounds", message, "a size of -1 takes everything from `begin` on")
    };
    if let Some(size) = size.filter(|&s| s < -1) {
        return Err(wrong(format!("{size} is no size")));
    }
    let size = size.map(|s| usize::try_from(s).ok());
    let (Some(begin), Some(total)) = (begin, dim.known()) else {
        return Ok(match (begin, size) {
            (_, Some(Some(size))) => (None, Dim::Known(size)),
            (Some(0), Some(None)) => (Some(0), dim),
            _ => (None, Dim::Unknown),
        });
    };
    let start = if begin < 0 { begin.saturating_add(total as i64) } else { begin };
    let start = usize::try_from(start).ok().filter(|&s| s <= total);
    let Some(start) = start else {
        return Err(wrong(format!("the part starts at {begin}, outside a dimension of size {total}")));
    };
    match size {
        None => Ok((Some(start), Dim::Unknown)),
        Some(None) => Ok((Some(start), Dim::Known(total - start))),
        Some(Some(size)) if size <= total - start => Ok((Some(start), Dim::Known(size))),
        Some(Some(size)) => {
            Err(wrong(format!("a part of {size} from {begin} on does not fit a dimension of size {total}")))
        }
    }
}

/// The first index and the size of the part of each dimension of an executed op.
fn parts(x: &[usize], begins: &[i64], sizes: &[i64]) -> Result<Vec<(usize, usize)>, Failure> {
    if begins.len() != x.len() || sizes.len() != x.len() {
        return Err(Failure::new(
            "slice_by_size/lengths",
            "`begin` and `size` need one entry for each dimension",
        ));
    }
    let part = |d: usize| {
        let (start, size) = part(Dim::Known(x[d]), Some(begins[d]), Some(sizes[d]))?;
        Ok((start.unwrap_or(0), size.known().unwrap_or(0)))
    };
    (0..x.len()).map(part).collect()
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let parts = parts(&x.shape, &call.ints("begin")?, &call.ints("size")?)?;
    let strides = row_major(&x.shape);
    let shape: Vec<usize> = parts.iter().map(|p| p.1).collect();
    let from = each(&shape, |at| parts.iter().zip(at).zip(&strides).map(|((p, i), s)| (p.0 + i) * s).sum())?;
    Ok(vec![x.select(&shape, &from)])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let x = cx.ty("x")?;
    let slot = cx.need("x")?;
    let out = cx.outputs.first().ok_or_else(|| cx.unplanned("x"))?;
    let mut walk = Walk::over(&x.shape);
    let steps: Vec<usize> = walk.steps.iter().map(|&s| s as usize).collect();
    walk.sizes.clone_from(&out.shape);
    if let (Some(begins), Some(sizes)) = (cx.view.ints("begin"), cx.view.ints("size")) {
        let parts = parts(&x.shape, &begins, &sizes)?;
        walk.start = parts.iter().zip(&steps).map(|(p, s)| p.0 * s).sum();
        return walk.kernel(cx, slot, &x.shape);
    }
    // The size of the part is known, where it starts is not.
    let (begins, bytes, copy) = (Words::of(cx, "begin")?, element_size(cx, 0)?, Copy::new(&walk));
    let (shape, sizes) = (x.shape, walk.sizes);
    Ok(CpuKernel::new(move |call| {
        let begins = begins.read(call)?;
        let mut start = 0;
        for (d, (&total, &size)) in shape.iter().zip(&sizes).enumerate() {
            let (first, _) = part(Dim::Known(total), Some(begins.at(d)), Some(size as i64))?;
            start += first.unwrap_or(0) * steps[d];
        }
        let (x, pool) = (call.read(slot)?, call.pool);
        copy.run(bytes, start, x, output(call, 0)?, pool);
        Ok(())
    }))
}
