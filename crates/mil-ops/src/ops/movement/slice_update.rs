//! `slice_update`: a tensor with a part of it replaced.

use super::common::X_17;
use super::slice_by_index::{BEGIN_17, BEGIN_MASK, END_17, END_MASK, SQUEEZE_MASK, STRIDE_17, sliced};
use super::slicing::{Arguments, Bounds, Edge, Slugs, cuts, positions, walk};
use crate::contract::*;
use crate::support::index::*;
use crate::support::moves::{Walk, bring, by_size, element_size, output};
use mil_base::{Opset, Type};
use mil_kernels::{StridedCopy, bytes_as, bytes_as_mut};

/// The card of `slice_update`.
pub static SLICE_UPDATE: OpDef = OpDef {
    name: "slice_update",
    doc: Doc::page(include_str!("slice_update.md")),
    versions: &[Version::new(
        Opset::Ios18,
        &[
            X_17,
            Param::tensor("update", sets::PLAIN_17).group("T"),
            BEGIN_17,
            END_17,
            STRIDE_17,
            BEGIN_MASK,
            END_MASK,
            SQUEEZE_MASK,
        ],
    )],
    constraints: &[
        Constraint {
            slug: "slice_update/lengths",
            rule: "begin, end, stride and the masks have one entry for each dimension of x",
        },
        Constraint { slug: "slice_update/stride-not-zero", rule: "no stride is 0" },
        Constraint {
            slug: "slice_update/bounds",
            rule: "begin and end are in the order of the stride, and the elements between them are in x",
        },
        Constraint {
            slug: "slice_update/update-shape",
            rule: "update has the shape of the slice and is no scalar (coremltools: backends do not support it)",
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

const SLUGS: Slugs = Slugs {
    lengths: "slice_update/lengths",
    stride: "slice_update/stride-not-zero",
    bounds: "slice_update/bounds",
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    let update = cx.need("update")?;
    let slice = sliced(cx, x, &SLUGS)?;
    if update.shape.rank() == 0 || !slice.may_equal(&update.shape) {
        let message = format!("`update` is {update} but the slice is {slice}");
        let help = "give `update` the shape of the slice, without squeezing every dimension";
        return Err(cx.refuse("slice_update/update-shape", "update", message, help));
    }
    cx.one(x.dtype, x.shape.clone())
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (x, update) = (call.arg("x")?, call.arg("update")?);
    let axes = Arguments::of_call(call).axes(x.shape.len(), &SLUGS)?;
    let cuts = cuts(&x.shape, &axes, &SLUGS)?;
    let slice: Vec<usize> = cuts.iter().filter(|c| !c.squeeze).map(|c| c.count).collect();
    if update.shape != slice {
        let message = format!("`update` is {:?} but the slice is {slice:?}", update.shape);
        return Err(Failure::new("slice_update/update-shape", message));
    }
    // The elements of x, then those of update: each element of the result comes from one or the other.
    let mut from: Vec<usize> = (0..x.count()).collect();
    for (i, at) in positions(&x.shape, &cuts)?.into_iter().enumerate() {
        from[at] = x.count() + i;
    }
    Ok(vec![super::stack::chained(&[x, update]).select(&x.shape, &from)])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let x = cx.ty("x")?;
    let (slot, update) = (cx.need("x")?, cx.need("update")?);
    let arguments = Arguments::of_op(&cx.view).map_err(|name| cx.unplanned(name))?;
    let axes = arguments.axes(x.shape.len(), &SLUGS)?;
    let mut sizes = cx.ty("update")?.shape;
    for d in (0..axes.len()).filter(|&d| axes[d].squeeze) {
        sizes.insert(d.min(sizes.len()), 1);
    }
    let strides = row_major(&x.shape);
    let steps: Vec<i64> =
        axes.iter().zip(&strides).map(|(a, &s)| a.stride.saturating_mul(s as i64)).collect();
    let reach = Walk { start: 0, sizes: sizes.clone(), steps: steps.iter().map(|&s| s as isize).collect() };
    if !reach.is_within(x.count()) {
        return Err(cx.unplanned("begin"));
    }
    let known = axes.iter().all(|a| a.begin != Edge::Unknown && a.end != Edge::Unknown);
    let fixed = match known {
        true => Some(walk(&x.shape, &cuts(&x.shape, &axes, &SLUGS)?).start),
        false => None,
    };
    let bounds = Bounds::of(cx)?;
    let (bytes, shape) = (element_size(cx, 0)?, x.shape);
    // A target is walked forward only; elements that go backward are placed one by one.
    let forward: Option<Vec<usize>> = steps.iter().map(|&s| usize::try_from(s).ok()).collect();
    let copy = forward.map(|steps| StridedCopy::new(&sizes, 0, &row_major(&sizes), 0, &steps));
    let kernel = CpuKernel::new(move |call| {
        let start = match fixed {
            Some(start) => start,
            None => bounds.start(call, &axes, &shape, &sizes, &strides, &SLUGS)?,
        };
        bring(call, slot)?;
        let (u, pool) = (call.read(update)?, call.pool);
        if u.is_empty() {
            return Ok(());
        }
        let out = output(call, 0)?;
        by_size!(bytes, T => {
            let (u, out) = (bytes_as::<T>(u), bytes_as_mut::<T>(out));
            match &copy {
                Some(copy) => copy.run::<T>(u, &mut out[start..], pool),
                None => place(u, out, start as i64, &sizes, &steps),
            }
        });
        Ok(())
    });
    Ok(kernel.alias(Alias::InPlace(slot)))
}

/// Puts the elements of `u`, which has these sizes, at `start` and in these steps.
fn place<T: Copy>(u: &[T], out: &mut [T], start: i64, sizes: &[usize], steps: &[i64]) {
    for (i, &value) in u.iter().enumerate() {
        let (mut rest, mut at) = (i, start);
        for (&size, &step) in sizes.iter().zip(steps).rev() {
            at += (rest % size) as i64 * step;
            rest /= size;
        }
        out[at as usize] = value;
    }
}
