//! `softmax`: exponentials along an axis, scaled to the sum 1.

use crate::contract::*;
use crate::support::axes::{Around, resolve};
use crate::support::elementwise::{each, same_type};
use mil_base::{Opset, Type};

/// The card of `softmax`.
pub static SOFTMAX: OpDef = OpDef {
    name: "softmax",
    doc: Doc::page(include_str!("softmax.md")),
    versions: &[Version::new(
        Opset::Ios15,
        &[
            Param::tensor("x", sets::FLOAT).group("T"),
            Param::constant("axis", sets::INT32).or(Default::Int(-1)),
        ],
    )],
    constraints: &[Constraint { slug: "softmax/axis-in-range", rule: "axis is in -rank..rank" }],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::Reference("the kernel is not connected yet"),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |op| each(op, 5),
    accuracy: Accuracy::sum(2e-6),
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let rank = cx.need("x")?.shape.rank();
    let axis = cx.need_int("axis")?;
    cx.axis("softmax/axis-in-range", "axis", axis, rank)?;
    same_type(cx)
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let around = Around::new(&x.shape, resolve(call.int("axis")?, x.shape.len())?);
    let mut y = x.f64s();
    for start in around.lines() {
        let line: Vec<usize> = (0..around.along).map(|a| start + a * around.after).collect();
        let largest = line.iter().map(|&i| y[i]).fold(f64::NEG_INFINITY, f64::max);
        for &i in &line {
            y[i] = (y[i] - largest).exp();
        }
        let sum: f64 = line.iter().map(|&i| y[i]).sum();
        for &i in &line {
            y[i] /= sum;
        }
    }
    Ok(vec![RefTensor::floats(x.dtype, &x.shape, y)])
}
