//! `slice_by_index`: a part of a tensor, as numpy's `x[begin:end:stride, ..]`.

use super::common::{INDEX_17, X, X_17};
use super::slicing::{Arguments, Bounds, Edge, Slugs, cuts, positions, shape, walk};
use crate::contract::*;
use crate::support::index::*;
use crate::support::moves::{Copy, Walk, element_size, output};
use mil_base::{Opset, Shape, Type};

/// The card of `slice_by_index`.
pub static SLICE_BY_INDEX: OpDef = OpDef {
    name: "slice_by_index",
    doc: Doc::page(include_str!("slice_by_index.md")),
    versions: &[
        Version::new(Opset::Ios15, &[X, BEGIN, END, STRIDE, BEGIN_MASK, END_MASK, SQUEEZE_MASK]),
        Version::new(Opset::Ios17, &[X_17, BEGIN_17, END_17, STRIDE_17, BEGIN_MASK, END_MASK, SQUEEZE_MASK]),
    ],
    constraints: &[
        Constraint {
            slug: "slice_by_index/lengths",
            rule: "begin, end, stride and the masks have one entry for each dimension of x",
        },
        Constraint { slug: "slice_by_index/stride-not-zero", rule: "no stride is 0" },
        Constraint {
            slug: "slice_by_index/bounds",
            rule: "begin and end are in the order of the stride, and the elements between them are in x",
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

const BEGIN: Param = Param::tensor("begin", sets::INT32);
const END: Param = Param::tensor("end", sets::INT32);
const STRIDE: Param = Param::constant("stride", sets::INT32).or(ONE_EACH);
pub(super) const BEGIN_17: Param = Param::tensor("begin", INDEX_17).group("U");
pub(super) const END_17: Param = Param::tensor("end", INDEX_17).group("U");
pub(super) const STRIDE_17: Param = Param::constant("stride", INDEX_17).group("U").or(ONE_EACH);
const ONE_EACH: Default = Default::Computed("1 for each dimension");
pub(super) const NO_MASK: Default = Default::Computed("false for each dimension");
pub(super) const BEGIN_MASK: Param = Param::constant("begin_mask", sets::BOOL).or(NO_MASK);
pub(super) const END_MASK: Param = Param::constant("end_mask", sets::BOOL).or(NO_MASK);
pub(super) const SQUEEZE_MASK: Param = Param::constant("squeeze_mask", sets::BOOL).or(NO_MASK);

const SLUGS: Slugs = Slugs {
    lengths: "slice_by_index/lengths",
    stride: "slice_by_index/stride-not-zero",
    bounds: "slice_by_index/bounds",
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    let shape = sliced(cx, x, &SLUGS)?;
    cx.one(x.dtype, shape)
}

/// The shape of the slice that an op's arguments take of `x`.
pub(super) fn sliced(cx: &mut Infer<'_>, x: &mil_base::TensorType, slugs: &Slugs) -> Result<Shape, Refused> {
    let rank = x.shape.rank();
    for name in ["begin", "end"] {
        let ty = cx.need(name)?;
        if ty.shape.rank() != 1 || !ty.shape[0].may_equal(rank.into()) {
            let message = format!("`{name}` is {} but x has rank {rank}", ty.shape);
            return Err(cx.refuse(slugs.lengths, name, message, "give one entry for each dimension of x"));
        }
    }
    let arguments = Arguments::of_op(cx).map_err(|name| cx.unknown(name))?;
    let shape = arguments.axes(rank, slugs).and_then(|axes| shape(&x.shape, &axes, slugs));
    shape.map(Shape).map_err(|problem| problem.refuse(cx, ""))
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let axes = Arguments::of_call(call).axes(x.shape.len(), &SLUGS)?;
    let cuts = cuts(&x.shape, &axes, &SLUGS)?;
    let shape: Vec<usize> = cuts.iter().filter(|c| !c.squeeze).map(|c| c.count).collect();
    Ok(vec![x.select(&shape, &positions(&x.shape, &cuts)?)])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let x = cx.ty("x")?;
    let slot = cx.need("x")?;
    let arguments = Arguments::of_op(&cx.view).map_err(|name| cx.unplanned(name))?;
    let axes = arguments.axes(x.shape.len(), &SLUGS)?;
    let known = axes.iter().all(|a| a.begin != Edge::Unknown && a.end != Edge::Unknown);
    if known {
        return walk(&x.shape, &cuts(&x.shape, &axes, &SLUGS)?).kernel(cx, slot, &x.shape);
    }
    // The sizes of the result are known, where the slice starts is not.
    let mut sizes = cx.outputs.first().ok_or_else(|| cx.unplanned("x"))?.shape.clone();
    for d in (0..axes.len()).filter(|&d| axes[d].squeeze) {
        sizes.insert(d.min(sizes.len()), 1);
    }
    let strides = row_major(&x.shape);
    let steps = axes.iter().zip(&strides).map(|(a, &s)| a.stride.saturating_mul(s as i64) as isize).collect();
    let walk = Walk { start: 0, sizes: sizes.clone(), steps };
    if !walk.is_within(x.count()) {
        return Err(cx.unplanned("begin"));
    }
    let copy = Copy::new(&walk);
    let (bounds, bytes, shape) = (Bounds::of(cx)?, element_size(cx, 0)?, x.shape);
    Ok(CpuKernel::new(move |call| {
        let start = bounds.start(call, &axes, &shape, &sizes, &strides, &SLUGS)?;
        let (x, pool) = (call.read(slot)?, call.pool);
        copy.run(bytes, start, x, output(call, 0)?, pool);
        Ok(())
    }))
}
