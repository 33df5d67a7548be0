//! `slice_update`: a tensor with a part of it replaced.

use super::common::INDEX_17;
use super::slice_by_index::{BEGIN_MASK, END_MASK, SQUEEZE_MASK, sliced};
use super::slicing::{Arguments, Slugs, cuts, positions};
use crate::contract::*;
use crate::support::index::*;
use mil_base::{Opset, Type};

/// The card of `slice_update`.
pub static SLICE_UPDATE: OpDef = OpDef {
    name: "slice_update",
    doc: Doc::page(include_str!("slice_update.md")),
    versions: &[Version::new(
        Opset::Ios18,
        &[
            Param::tensor("x", sets::PLAIN_17).group("T"),
            Param::tensor("update", sets::PLAIN_17).group("T"),
            Param::tensor("begin", INDEX_17).group("U"),
            Param::tensor("end", INDEX_17).group("U"),
            Param::constant("stride", INDEX_17).group("U").or(Default::Computed("1 for each dimension")),
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
    cpu: Cpu::Reference("kernel not connected yet"),
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
