//! `random_categorical`: positions drawn with given probabilities.

use crate::contract::*;
use crate::support::index::room_for;
use crate::support::stream::Stream;
use mil_base::{Dim, Opset, Type};

/// The card of `random_categorical`.
pub static RANDOM_CATEGORICAL: OpDef = OpDef {
    name: "random_categorical",
    doc: Doc::page(include_str!("categorical.md")),
    versions: &[Version::new(
        Opset::Ios15,
        &[
            Param::tensor("x", sets::FLOAT).group("T"),
            Param::constant("mode", sets::STRING).or(Default::Str("logits")),
            Param::constant("size", sets::INT32).or(Default::Int(1)),
            Param::constant("seed", sets::INT32).or(Default::Int(-1)),
        ],
    )],
    constraints: &[
        Constraint {
            slug: "random_categorical/rank-1-or-more",
            rule: "x has a last dimension, of size 1 or more",
        },
        Constraint { slug: "random_categorical/mode-known", rule: "mode is logits or probs" },
        Constraint { slug: "random_categorical/size-not-negative", rule: "size is 0 or more" },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::Reference("positions are drawn by the definition"),
    gradient: Gradient::Zero,
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    if x.shape.last().is_none_or(|d| d.known() == Some(0)) {
        return Err(cx.refuse(
            "random_categorical/rank-1-or-more",
            "x",
            format!("`x` is {} and has no elements to draw", x.shape),
            "give the probabilities along the last dimension",
        ));
    }
    let mode = cx.need_str("mode")?;
    if !matches!(mode.as_str(), "logits" | "probs") {
        cx.report(
            "random_categorical/mode-known",
            "mode",
            format!("`random_categorical` has no mode `{mode}`"),
            "use logits or probs",
        );
    }
    let size = cx.need_int("size")?;
    let Ok(size) = usize::try_from(size) else {
        return Err(cx.refuse(
            "random_categorical/size-not-negative",
            "size",
            format!("{size} positions cannot be drawn"),
            "ask for 0 or more",
        ));
    };
    let mut shape = x.shape.clone();
    if let Some(last) = shape.0.last_mut() {
        *last = Dim::Known(size);
    }
    cx.one(x.dtype, shape)
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let logits = call.str("mode")? == "logits";
    let size = usize::try_from(call.int("size")?)
        .map_err(|_| Failure::new("random_categorical/size-not-negative", "size is negative"))?;
    let stream = Stream::new(call.int("seed")?);
    let mut shape = x.shape.clone();
    let classes = match shape.last_mut() {
        Some(last) if *last > 0 => std::mem::replace(last, size),
        _ => return Err(Failure::new("op/axis-not-empty", "there is nothing to draw from")),
    };
    let mut drawn = Vec::with_capacity(room_for(&shape)?);
    for (r, row) in x.f64s().chunks(classes).enumerate() {
        let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> =
            row.iter().map(|&v| if logits { (v - largest).exp() } else { v.max(0.0) }).collect();
        let total: f64 = weights.iter().sum();
        for s in 0..size {
            let mut left = stream.unit((r * size + s) as u64) * total;
            let place = weights.iter().position(|&w| {
                left -= w;
                left < 0.0
            });
            drawn.push(place.unwrap_or(classes - 1) as f64);
        }
    }
    Ok(vec![RefTensor::floats(x.dtype, &shape, drawn)])
}
