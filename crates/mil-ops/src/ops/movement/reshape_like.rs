//! `reshape_like`: the same elements in a shape put together from the shapes of other tensors.

use super::common::{X, X_17};
use crate::contract::*;
use crate::support::index::*;
use mil_base::{Opset, Shape, Type};

/// The card of `reshape_like`.
pub static RESHAPE_LIKE: OpDef = OpDef {
    name: "reshape_like",
    doc: Doc::page(include_str!("reshape_like.md")),
    versions: &[
        Version::new(Opset::Ios16, &[X, REFS, BEGINS, ENDS, END_MASKS]),
        Version::new(Opset::Ios17, &[X_17, REFS, BEGINS, ENDS, END_MASKS]),
    ],
    constraints: &[
        Constraint {
            slug: "reshape_like/same-lengths",
            rule: "begins, ends and end_masks have one scalar for each tensor of ref_tensors",
        },
        Constraint { slug: "reshape_like/same-count", rule: "the new shape has as many elements as x" },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(|cx| Ok(CpuKernel::view(cx.need("x")?))),
    gradient: GRADIENT_LATER,
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

const REFS: Param = Param::variadic("ref_tensors", sets::ANY);
const BEGINS: Param = Param::variadic("begins", sets::ANY);
const ENDS: Param = Param::variadic("ends", sets::ANY);
const END_MASKS: Param = Param::variadic("end_masks", sets::ANY);

/// The places `begin..end` of a shape of that rank, as Python slices: negative ones count from the end, and all are
/// clamped.
fn range(rank: usize, begin: i64, end: i64, to_end: bool) -> std::ops::Range<usize> {
    let place =
        |v: i64| if v < 0 { v.saturating_add(rank as i64).max(0) } else { v.min(rank as i64) } as usize;
    let (begin, end) = (place(begin), if to_end { rank } else { place(end) });
    begin..end.max(begin)
}

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    let refs = cx.tys("ref_tensors");
    let mut scalars = Vec::new();
    for name in ["begins", "ends", "end_masks"] {
        let Some(values) = cx.tensors(name) else { return Err(cx.unknown(name)) };
        if values.len() != refs.len() || values.iter().any(|v| v.count() != 1) {
            let message = format!("{} values for {} reference tensors", values.len(), refs.len());
            let help = "give one scalar for each tensor of `ref_tensors`";
            return Err(cx.refuse("reshape_like/same-lengths", name, message, help));
        }
        scalars.push(values.iter().map(|v| v.item_i64().unwrap_or(0)).collect::<Vec<_>>());
    }
    let mut dims = Vec::new();
    for (i, ty) in refs.iter().enumerate() {
        dims.extend_from_slice(
            &ty.shape[range(ty.shape.rank(), scalars[0][i], scalars[1][i], scalars[2][i] != 0)],
        );
    }
    let shape = Shape(dims);
    if let (Some(have), Some(want)) = (x.shape.count(), shape.count())
        && have != want
    {
        let message = format!("x {} has {have} elements but {shape} has {want}", x.shape);
        let help = "choose the axes of the reference tensors so that the product of their sizes is that of x";
        return Err(cx.refuse("reshape_like/same-count", "x", message, help));
    }
    cx.one(x.dtype, shape)
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let scalars = |name: &str| -> Vec<i64> { call.all(name).iter().flat_map(|t| t.i64s()).collect() };
    let (begins, ends, masks) = (scalars("begins"), scalars("ends"), scalars("end_masks"));
    let mut shape = Vec::new();
    for (((t, &begin), &end), &mask) in call.all("ref_tensors").iter().zip(&begins).zip(&ends).zip(&masks) {
        shape.extend_from_slice(&t.shape[range(t.shape.len(), begin, end, mask != 0)]);
    }
    if mil_base::tensor::count(&shape) != Some(x.count()) {
        let message = format!("{} elements do not become {shape:?}", x.count());
        return Err(Failure::new("reshape_like/same-count", message));
    }
    Ok(vec![RefTensor { dtype: x.dtype, shape, data: x.data.clone() }])
}
