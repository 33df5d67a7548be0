//! `scatter_nd`: slices of a tensor changed by the first few of their indices.

use super::gather_nd::Slices;
use super::indices::*;
use super::scatter::*;
use super::updating::{Change, RULE, kernel, updated};
use crate::contract::*;
use crate::support::index::*;
use crate::support::words::Words;
use mil_base::{Dim, Opset, Shape, Type};

/// The card of `scatter_nd`.
pub static SCATTER_ND: OpDef = OpDef {
    name: "scatter_nd",
    doc: Doc::page(include_str!("scatter_nd.md")),
    versions: &[
        Version::new(Opset::Ios15, &[DATA, INDICES, UPDATES, MODE]),
        Version::new(Opset::Ios17, &[DATA, INDICES, UPDATES, MODE, VALIDATE]),
    ],
    constraints: &[
        Constraint { slug: "scatter_nd/mode-known", rule: RULE },
        Constraint {
            slug: "scatter_nd/index-length",
            rule: "the last size of indices is known and not more than the rank of data",
        },
        Constraint {
            slug: "scatter_nd/updates-shape",
            rule: "updates has the shape of indices without its last size, followed by the sizes of data not indexed",
        },
        Constraint {
            slug: "scatter_nd/index-in-range",
            rule: "known indices are in range, unless iOS 17 leaves them unchecked",
        },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: GRADIENT_LATER,
    ane: ANE_LATER,
    cost: |op| Some(op.ty("updates")?.shape.count()? as u64),
    accuracy: Accuracy::sum(2.5e-7),
};

const SLUGS: Slugs = Slugs {
    mode: "scatter_nd/mode-known",
    updates: "scatter_nd/updates-shape",
    index: "scatter_nd/index-in-range",
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let (data, indices) = (cx.need("data")?, cx.need("indices")?);
    let depth = indices.shape.last().and_then(|d| d.known()).filter(|&d| d <= data.shape.rank());
    let Some(depth) = depth else {
        let length = indices.shape.last().copied().unwrap_or(Dim::Known(0));
        let message =
            format!("an index of data, which has rank {}, cannot have {length} entries", data.shape.rank());
        let help = "the last dimension of `indices` holds one entry for each dimension it selects from";
        return Err(cx.refuse("scatter_nd/index-length", "indices", message, help));
    };
    let outer = &indices.shape[..indices.shape.rank() - 1];
    let wanted = Shape([outer, &data.shape[depth..]].concat());
    let sizes = Shape(data.shape[..depth].to_vec()).sizes();
    let known = cx.ints("indices").filter(|_| sizes.is_some()).unwrap_or_default();
    let sizes = sizes.unwrap_or_default();
    SLUGS.check(cx, &wanted, known.into_iter().zip(sizes.into_iter().cycle()))?;
    cx.one(data.dtype, data.shape.clone())
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (data, indices) = (call.arg("data")?, call.arg("indices")?);
    let short =
        || Failure::new("scatter_nd/index-length", "an index has more entries than data has dimensions");
    let (&depth, outer) = indices.shape.split_last().ok_or_else(short)?;
    let inner = data.shape.get(depth..).ok_or_else(short)?;
    let wanted = [outer, inner].concat();
    let mode = SLUGS.mode_of(call, &wanted)?;
    let outside = Outside::of(call.version, call, true);
    let (strides, index_strides, values) =
        (row_major(&data.shape), row_major(&indices.shape), indices.i64s());
    let targets = try_each(&wanted, |at| {
        let (outer_at, inner_at) = at.split_at(outer.len());
        let first = position(&index_strides, outer_at);
        let mut place = Vec::with_capacity(data.shape.len());
        for (entry, &n) in values[first..first + depth].iter().zip(&data.shape) {
            match outside.place(*entry, n).map_err(|e| e.failure(SLUGS.index))? {
                Some(i) => place.push(i),
                None => return Ok(None),
            }
        }
        place.extend_from_slice(inner_at);
        Ok(Some(position(&strides, &place)))
    })?;
    Ok(vec![updated(mode, data, &targets, call.arg("updates")?)?])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (data, indices) = (cx.ty("data")?, cx.ty("indices")?);
    let (&depth, outer) = indices.shape.split_last().ok_or_else(|| cx.unplanned("indices"))?;
    let slices = Slices::new(&data.shape, 0, depth).ok_or_else(|| cx.unplanned("indices"))?;
    let picks: usize = outer.iter().product();
    let (words, outside) = (Words::of(cx, "indices")?, Outside::of(cx.view.version, &cx.view, true));
    kernel(cx, planned_mode(cx)?, slices.after, move |call, change| {
        let words = words.read(call)?;
        for row in 0..picks {
            let place = slices.find(&words, row, outside).map_err(|e| e.failure(SLUGS.index))?;
            if let Some(to) = place {
                change(Change { from: row * slices.after, to })?;
            }
        }
        Ok(())
    })
}
