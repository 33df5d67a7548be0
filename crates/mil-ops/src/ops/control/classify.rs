//! `classify`: the label of the most probable class, and the probability of each.

use crate::contract::*;
use mil_base::{DType, DTypes, Opset, Type};

/// The card of `classify`.
pub static CLASSIFY: OpDef = OpDef {
    name: "classify",
    doc: Doc::page(include_str!("classify.md")),
    versions: &[Version::new(
        Opset::Ios15,
        &[
            Param::tensor("probabilities", DTypes::of(&[DType::Fp32])),
            Param { constant: true, ..Param::list("classes", sets::ANY) },
        ],
    )
    .outputs(Outputs::Exactly(2))],
    constraints: &[
        Constraint { slug: "classify/class-type", rule: "classes is a list of strings or int64 numbers" },
        Constraint { slug: "classify/one-per-class", rule: "there is one probability for each class" },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::Reference("it yields a string and a dictionary, once a prediction"),
    gradient: Gradient::None("a label has no derivative"),
    ane: Ane::Never("labels and dictionaries live on the host"),
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let probabilities = cx.need("probabilities")?;
    let Some(Type::List(class, number)) = cx.any_ty("classes") else { return Err(cx.unknown("classes")) };
    let label = class.as_tensor().filter(|t| t.shape.rank() == 0);
    if !label.is_some_and(|t| matches!(t.dtype, DType::String | DType::Int64)) {
        let message = format!("classes are {class}");
        return Err(cx.refuse(
            "classify/class-type",
            "classes",
            message,
            "label classes with strings or int64",
        ));
    }
    if let (Some(count), Some(number)) = (probabilities.shape.count(), number.known())
        && count != number
    {
        let message = format!("there are {count} probabilities for {number} classes");
        cx.report("classify/one-per-class", "probabilities", message, "give one probability for each class");
    }
    Ok(vec![(**class).clone(), Type::Dict(class.clone(), Box::new(Type::scalar(DType::Fp64)))])
}

/// The label, and the values of the dictionary as a vector in the order of the classes.
fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (probabilities, classes) = (call.arg("probabilities")?.f64s(), call.arg("classes")?);
    if probabilities.len() != classes.count() || probabilities.is_empty() {
        let message =
            format!("there are {} probabilities for {} classes", probabilities.len(), classes.count());
        return Err(Failure::new("classify/one-per-class", message));
    }
    let mut best = 0;
    for (i, &p) in probabilities.iter().enumerate() {
        if p > probabilities[best] {
            best = i;
        }
    }
    let count = probabilities.len();
    Ok(vec![classes.select(&[], &[best]), RefTensor::floats(DType::Fp64, &[count], probabilities)])
}
