//! `non_zero`: where a tensor is not zero.

use crate::contract::*;
use crate::support::index::*;
use mil_base::{DType, Dim, Opset, Shape};

/// The card of `non_zero`.
pub static NON_ZERO: OpDef = OpDef {
    name: "non_zero",
    doc: Doc::page(include_str!("non_zero.md")),
    versions: &[Version::new(Opset::Ios15, &[Param::tensor("x", sets::PLAIN).group("T")])],
    constraints: &[],
    infer: |cx| {
        let rank = cx.need("x")?.shape.rank();
        let known = cx.tensor("x").map(|t| t.to_f64().into_iter().filter(|&v| v != 0.0).count());
        cx.one(DType::Int32, Shape(vec![known.map_or(Dim::Unknown, Dim::Known), Dim::Known(rank)]))
    },
    reference: Reference::Rule(reference),
    cpu: Cpu::Reference("its size depends on the data"),
    gradient: Gradient::Zero,
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let places = each(&x.shape, <[usize]>::to_vec)?;
    let found: Vec<i64> = { places }
        .into_iter()
        .zip(x.f64s())
        .filter(|(_, v)| *v != 0.0)
        .flat_map(|(at, _)| at.into_iter().map(|i| i as i64))
        .collect();
    let rows = x.f64s().into_iter().filter(|&v| v != 0.0).count();
    Ok(vec![RefTensor::ints(DType::Int32, &[rows, x.shape.len()], found)])
}
