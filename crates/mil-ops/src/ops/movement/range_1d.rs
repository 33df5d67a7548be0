//! `range_1d`: equally spaced numbers.

use crate::contract::*;
use crate::support::index::*;
use mil_base::{Dim, Opset, Shape, Type};

/// The card of `range_1d`.
pub static RANGE_1D: OpDef = OpDef {
    name: "range_1d",
    doc: Doc::page(include_str!("range_1d.md")),
    versions: &[Version::new(
        Opset::Ios15,
        &[
            Param::tensor("end", sets::NUMBER).group("T"),
            Param::tensor("start", sets::NUMBER).group("T"),
            Param::tensor("step", sets::NUMBER).group("T"),
        ],
    )],
    constraints: &[
        Constraint { slug: "range_1d/scalars", rule: "start, end and step are single numbers" },
        Constraint {
            slug: "range_1d/length",
            rule: "step is not 0, and start, end and step give a reasonable number of elements",
        },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::Reference("its size depends on the data"),
    gradient: Gradient::Zero,
    ane: ANE_LATER,
    cost: |op| op.outputs().first()?.as_ref()?.shape.count().map(|n| 2 * n as u64),
    accuracy: Accuracy::ROUNDED,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let dtype = cx.need("start")?.dtype;
    for name in ["start", "end", "step"] {
        let ty = cx.need(name)?;
        if !ty.shape.is_empty() && ty.shape.count() != Some(1) {
            let message = format!("`{name}` is {ty}");
            return Err(cx.refuse("range_1d/scalars", name, message, "give one number"));
        }
    }
    let known = (cx.float("start"), cx.float("end"), cx.float("step"));
    if let Some(0.0) = known.2 {
        return Err(cx.refuse(
            "range_1d/length",
            "step",
            "`step` is 0",
            "give another step, negative to count down",
        ));
    }
    let (Some(start), Some(end), Some(step)) = known else {
        return cx.one(dtype, Shape(vec![Dim::Unknown]));
    };
    match length(start, end, step) {
        Some(n) => cx.one(dtype, Shape::known(&[n])),
        None => {
            let message = format!("{start} to {end} in steps of {step} has no reasonable length");
            Err(cx.refuse("range_1d/length", "end", message, "give finite numbers not so far apart"))
        }
    }
}

/// Elements a range may have.
const MOST: f64 = 2_147_483_647.0;

/// The number of elements of a range, which is 0 if `end` is not reached from `start`.
fn length(start: f64, end: f64, step: f64) -> Option<usize> {
    let n = ((end - start) / step).ceil();
    (n.is_finite() && n <= MOST).then_some(n.max(0.0) as usize)
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (start, end, step) = (call.float("start")?, call.float("end")?, call.float("step")?);
    let n = length(start, end, step).ok_or_else(|| {
        let message = format!("{start} to {end} in steps of {step} has no reasonable length");
        Failure::new("range_1d/length", message)
    })?;
    let dtype = call.arg("start")?.dtype;
    room_for(&[n])?;
    let data = (0..n).map(|i| start + i as f64 * step).collect();
    Ok(vec![RefTensor::from_f64(dtype, &[n], data)])
}
