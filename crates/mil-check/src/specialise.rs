//! The types of a function once the shapes of its inputs are known.

use crate::check::Checked;
use crate::codes;
use crate::flexible::{Flexibility, SizeRange};
use crate::ids::function_place;
use crate::nearest::{choices, nearest};
use crate::walk::Walk;
use mil_base::{Diagnostic, Label, Name, Place, Shape, Tensor, Type, sort_by_place};
use mil_ir::{Function, FunctionId, OpId};
use mil_ops::OpView;

/// Types and known values of one function for concrete input shapes, by value index.
///
/// Every dimension that follows from the shapes of the inputs is known; the others depend on data.
#[derive(Clone, Debug)]
pub struct Specialised {
    /// The types; all present.
    pub types: Vec<Option<Type>>,
    /// Contents of what is known before execution; more than in [`Checked::known`], because shapes are.
    pub known: Vec<Option<Tensor>>,
    /// Does the value never change for these input shapes?
    pub constant: Vec<bool>,
}

impl Specialised {
    /// What cards look through, with these types; nothing for ops that stand in no block.
    pub fn view<'a>(&'a self, checked: &'a Checked, function: FunctionId, op: OpId) -> Option<OpView<'a>> {
        let view = checked.view(function, op)?;
        Some(OpView { types: &self.types, known: &self.known, ..view })
    }
}

/// Infers a function anew for inputs of these shapes.
///
/// An input that is not listed has its declared shape, or the default of its `FlexibleShapeInformation`. Shapes that
/// neither the declared type nor that attribute allows are refused. Labels have places, not spans: see
/// [`locate`](crate::locate()).
pub fn specialise(
    checked: &Checked,
    function: FunctionId,
    inputs: &[(Name, Vec<usize>)],
) -> Result<Specialised, Vec<Diagnostic>> {
    let program = checked.program();
    let Some(f) = program.functions.get(function) else {
        return Err(vec![Diagnostic::error(codes::DANGLING, "the function is not of this program")]);
    };
    let flexibility = Flexibility::of(f);
    let mut inputs_of = Inputs { function: f, flexibility: &flexibility, diagnostics: Vec::new() };
    inputs_of.strangers(inputs);
    let shapes: Vec<Option<Vec<usize>>> =
        f.params().iter().map(|&p| inputs_of.shape(&f.values[p].name, &f.values[p].ty, inputs)).collect();
    inputs_of.enumeration(&shapes);
    let mut diagnostics = inputs_of.diagnostics;
    if !diagnostics.is_empty() {
        sort_by_place(&mut diagnostics);
        return Err(diagnostics);
    }
    let concrete = |(&p, shape): (&mil_ir::ValueId, &Option<Vec<usize>>)| match (&f.values[p].ty, shape) {
        (Type::Tensor(t), Some(sizes)) => Type::tensor(t.dtype, Shape::known(sizes)),
        (ty, _) => ty.clone(),
    };
    let params: Vec<Type> = f.params().iter().zip(&shapes).map(concrete).collect();
    let mut walk = Walk::new(program, function, checked.ops(), checked.opset(function));
    walk.run(&params);
    let (facts, mut diagnostics) = walk.finish();
    if diagnostics.iter().any(Diagnostic::is_error) {
        sort_by_place(&mut diagnostics);
        return Err(diagnostics);
    }
    Ok(Specialised { types: facts.types, known: facts.known, constant: facts.constant })
}

/// The inputs of a function, against what is declared about them.
struct Inputs<'a> {
    function: &'a Function,
    flexibility: &'a Flexibility,
    diagnostics: Vec<Diagnostic>,
}

impl Inputs<'_> {
    fn report(&mut self, code: &'static str, input: Option<&Name>, message: String, help: Option<String>) {
        let place = Place { argument: input.cloned(), ..function_place(&self.function.name) };
        let diagnostic = Diagnostic::error(code, message).label(Label::place(place, ""));
        self.diagnostics.push(Diagnostic { help, ..diagnostic });
    }

    fn strangers(&mut self, inputs: &[(Name, Vec<usize>)]) {
        let function = self.function;
        let names: Vec<&str> = function.params().iter().map(|&p| &*function.values[p].name).collect();
        for (name, _) in inputs {
            if names.contains(&&**name) {
                continue;
            }
            let help = match choices(&nearest(name, names.iter().copied())) {
                Some(near) => format!("did you mean {near}?"),
                None if names.is_empty() => "it has no inputs".to_owned(),
                None => format!("its inputs are {}", names.join(", ")),
            };
            let message = format!("`{}` has no input `{name}`", function.name);
            self.report(codes::INPUT_UNKNOWN, None, message, Some(help));
        }
    }

    /// The concrete shape of a tensor input; nothing for states and where something was reported.
    fn shape(&mut self, name: &Name, ty: &Type, inputs: &[(Name, Vec<usize>)]) -> Option<Vec<usize>> {
        let declared = &ty.as_tensor()?.shape;
        let given = inputs.iter().find(|(n, _)| n == name).map(|(_, s)| s.clone());
        let default = || self.flexibility.default_shape(name).map(<[usize]>::to_vec);
        let Some(sizes) = given.or_else(|| declared.sizes()).or_else(default) else {
            let message = format!("the shape of the input `{name}` must be given: it is declared {declared}");
            self.report(codes::INPUT_MISSING, Some(name), message, None);
            return None;
        };
        let shape = Shape::known(&sizes);
        if !declared.may_equal(&shape) {
            let message = format!("the input `{name}` has the shape {shape}, but is declared {declared}");
            self.report(codes::INPUT_SHAPE, Some(name), message, None);
            return None;
        }
        let ranges = self.flexibility.ranges_of(name).unwrap_or_default();
        for (axis, (&size, range)) in sizes.iter().zip(ranges).enumerate() {
            let SizeRange { lowest, highest } = *range;
            if size >= lowest && highest.is_none_or(|h| size <= h) {
                continue;
            }
            let allowed = match highest {
                Some(highest) => format!("{lowest} to {highest}"),
                None => format!("{lowest} or more"),
            };
            let message =
                format!("dimension {axis} of the input `{name}` is {size}, but {allowed} is allowed");
            let help = format!("give a size of {allowed}, or convert the model anew with another range");
            self.report(codes::INPUT_SHAPE, Some(name), message, Some(help));
            return None;
        }
        Some(sizes)
    }

    /// The shapes must be one of the enumerated sets, if there are any.
    fn enumeration(&mut self, shapes: &[Option<Vec<usize>>]) {
        let function = self.function;
        let sets = &self.flexibility.enumerated;
        if sets.is_empty() || !self.diagnostics.is_empty() {
            return;
        }
        let shape_of = |name: &Name| {
            let at = function.params().iter().position(|&p| function.values[p].name == *name)?;
            shapes.get(at)?.as_ref()
        };
        let holds = |set: &Vec<(Name, Vec<usize>)>| set.iter().all(|(n, s)| shape_of(n) == Some(s));
        if sets.iter().any(holds) {
            return;
        }
        let listed = |set: &Vec<(Name, Vec<usize>)>| -> String {
            set.iter().map(|(n, s)| format!("{n} {s:?}")).collect::<Vec<_>>().join(" with ")
        };
        let all: Vec<String> = sets.iter().take(8).map(listed).collect();
        let more = if sets.len() > 8 { ", …" } else { "" };
        let message = "the shapes of the inputs are not among the enumerated ones".to_owned();
        let help = format!("allowed: {}{more}", all.join(", "));
        let first = sets.first().and_then(|s| s.first()).map(|(n, _)| n.clone());
        self.report(codes::INPUT_SHAPE, first.as_ref(), message, Some(help));
    }
}
