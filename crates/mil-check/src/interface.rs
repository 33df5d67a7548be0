//! A function's signature against what a model's description says of it.

use crate::check::Checked;
use crate::codes;
use crate::declared::agree;
use crate::ids::function_place;
use crate::nearest::{choices, nearest};
use mil_base::{Diagnostic, Label, Name, Place, Type, sort_by_place};
use mil_ir::{FunctionId, ValueId};

/// One input, output or state of a model's description.
#[derive(Clone, PartialEq, Debug)]
pub struct Feature {
    /// Its name.
    pub name: Name,
    /// Its type, unknown dimensions where it is flexible; nothing where the description leaves it open.
    pub ty: Option<Type>,
    /// May the caller leave it out? Then the function need not have it.
    pub optional: bool,
}

/// The signature of a function as a model's description states it.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Interface {
    /// Inputs, states included (as [`Type::State`]).
    pub inputs: Vec<Feature>,
    /// Outputs.
    pub outputs: Vec<Feature>,
}

/// Everything in which a function and its description disagree: names on either side alone, and types. A scalar may be
/// described with one element in any rank, because descriptions have no scalars.
pub fn interface(checked: &Checked, function: FunctionId, described: &Interface) -> Vec<Diagnostic> {
    let Some(f) = checked.program().functions.get(function) else { return Vec::new() };
    let mut diagnostics = Vec::new();
    for (what, values, features) in
        [("input", f.params(), &described.inputs), ("output", f.outputs(), &described.outputs)]
    {
        let actual: Vec<(&Name, ValueId)> = values.iter().map(|&v| (&f.values[v].name, v)).collect();
        let mut report = |name: &Name, message: String, help: Option<String>| {
            let place = Place { argument: Some(name.clone()), ..function_place(&f.name) };
            let diagnostic = Diagnostic::error(codes::INTERFACE, message).label(Label::place(place, ""));
            diagnostics.push(Diagnostic { help, ..diagnostic });
        };
        for feature in features {
            let name = &feature.name;
            let Some(&(_, value)) = actual.iter().find(|(n, _)| *n == name) else {
                if !feature.optional {
                    let near = choices(&nearest(name, actual.iter().map(|(n, _)| &***n)));
                    let message =
                        format!("the model describes the {what} `{name}`, which `{}` does not have", f.name);
                    report(name, message, near.map(|near| format!("did you mean {near}?")));
                }
                continue;
            };
            let (Some(wanted), Some(ty)) = (&feature.ty, checked.ty(function, value)) else { continue };
            if !agree(wanted, ty) && !same_single_element(wanted, ty) {
                let message = format!("the model describes the {what} `{name}` as {wanted}, but it is {ty}");
                report(name, message, None);
            }
        }
        for (name, _) in &actual {
            if !features.iter().any(|f| f.name == **name) {
                let near = choices(&nearest(name, features.iter().map(|f| &*f.name)));
                let message = format!("the {what} `{name}` is missing in the model's description");
                report(name, message, near.map(|near| format!("did you mean {near}?")));
            }
        }
    }
    sort_by_place(&mut diagnostics);
    diagnostics
}

fn same_single_element(wanted: &Type, ty: &Type) -> bool {
    match (wanted, ty) {
        (Type::Tensor(a), Type::Tensor(b)) => {
            a.dtype == b.dtype && b.shape.rank() == 0 && matches!(a.shape.count(), Some(1))
        }
        _ => false,
    }
}
