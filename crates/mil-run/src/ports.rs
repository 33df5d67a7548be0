//! The inputs, states and outputs of a function, and whether given tensors fit them.

use crate::codes;
use crate::error::RunError;
use crate::runtime::Named;
use mil_base::{DType, Diagnostic, Dim, Label, Name, Place, Shape, Tensor, TensorType, Type};
use mil_check::{Checked, nearest};
use mil_ir::{Binding, Def, Function, FunctionId, Program, Value, ValueId};
use std::collections::HashMap;

/// The function of that name, or the default one.
pub fn find_function(checked: &Checked, name: Option<&str>) -> Result<FunctionId, RunError> {
    let program = checked.program();
    let found = match name {
        Some(name) => program.function(name),
        None => program.default_function(),
    };
    found.ok_or_else(|| {
        let names: Vec<String> = program.functions.iter().map(|(_, f)| format!("`{}`", f.name)).collect();
        let message = match name {
            Some(name) => format!("the program has no function `{name}`"),
            None if names.is_empty() => "the program has no function".to_owned(),
            None => "the program has several functions and none is called `main`".to_owned(),
        };
        let help = match names.is_empty() {
            true => "only a function can be run: add one".to_owned(),
            false => format!("choose one of {}", names.join(", ")),
        };
        RunError::refused(Diagnostic::error(codes::FUNCTION_UNKNOWN, message).help(help))
    })
}

/// The parameters that are given anew for every run.
pub fn inputs(function: &Function) -> impl Iterator<Item = (ValueId, &Name, &Type)> {
    let all = function.params().iter().map(|&v| (v, &function.values[v].name, &function.values[v].ty));
    all.filter(|(_, _, ty)| !matches!(ty, Type::State(_)))
}

/// The parameters that live between runs, with the type of their contents.
pub fn states(function: &Function) -> impl Iterator<Item = (ValueId, &Name, &TensorType)> {
    function.params().iter().filter_map(|&v| match &function.values[v].ty {
        Type::State(inner) => Some((v, &function.values[v].name, inner.as_tensor()?)),
        _ => None,
    })
}

/// The given tensors in the order of [`inputs`], if every one fits; otherwise everything that is wrong.
///
/// Dimensions that the checker knows to be equal must be given equal.
pub fn match_inputs(
    checked: &Checked,
    id: FunctionId,
    given: &[Named],
) -> Result<Vec<(ValueId, Tensor)>, RunError> {
    let function = &checked.program().functions[id];
    let mut wrong = Vec::new();
    let mut found = Vec::new();
    let mut symbols: HashMap<Dim, (usize, String)> = HashMap::new();
    for (value, name, declared) in inputs(function) {
        let Some((_, tensor)) = given.iter().find(|(n, _)| n == name) else {
            let message = format!("input `{name}` is missing");
            let help = format!("give `{name}` as {declared}");
            wrong.push(
                Diagnostic::error(codes::INPUT_MISSING, message).help(help).label(at(function, Some(name))),
            );
            continue;
        };
        let ty = checked.ty(id, value).unwrap_or(declared);
        match ty.as_tensor().map(|ty| fits(name, ty, tensor, &mut symbols)) {
            Some(None) => found.push((value, tensor.clone())),
            Some(Some(problem)) => wrong.push(problem.label(at(function, Some(name)))),
            None => {
                let message = format!("input `{name}` is {declared}, which cannot be given from outside");
                let help = "rewrite the function to take tensors";
                wrong.push(
                    Diagnostic::error(codes::INPUT_KIND, message).help(help).label(at(function, Some(name))),
                );
            }
        }
    }
    let names: Vec<&str> = inputs(function).map(|(_, n, _)| n.as_str()).collect();
    for (name, _) in given.iter().filter(|(n, _)| !names.contains(&n.as_str())) {
        // What is given already is not what was meant.
        let free = names.iter().copied().filter(|n| given.iter().all(|(g, _)| g.as_str() != *n));
        let near = nearest(name, free);
        let help = match near.first() {
            Some(first) => format!("did you mean `{first}`?"),
            None if names.is_empty() => "the function takes no inputs".to_owned(),
            None => format!("its inputs are {}", names.join(", ")),
        };
        let message = format!("function `{}` has no input `{name}`", function.name);
        wrong.push(Diagnostic::error(codes::INPUT_UNKNOWN, message).help(help).label(at(function, None)));
    }
    if wrong.is_empty() { Ok(found) } else { Err(RunError::Refused(wrong)) }
}

/// A parameter of the function, or the function itself.
fn at(function: &Function, port: Option<&Name>) -> Label {
    let function = Some(function.name.clone());
    Label::place(Place { function, argument: port.cloned(), ..Place::default() }, "")
}

/// What is wrong with `tensor` as a value of type `ty`.
fn fits(
    name: &Name,
    ty: &TensorType,
    tensor: &Tensor,
    symbols: &mut HashMap<Dim, (usize, String)>,
) -> Option<Diagnostic> {
    let got = tensor.ty();
    if tensor.dtype() != ty.dtype {
        let message = format!("input `{name}` is {got} but must be {ty}");
        let help = format!("convert it to {}", ty.dtype);
        return Some(Diagnostic::error(codes::INPUT_DTYPE, message).help(help));
    }
    if !ty.shape.may_equal(&got.shape) {
        let message = format!("input `{name}` has shape {} but must have {}", got.shape, ty.shape);
        let help = match ty.shape.count() == Some(tensor.count()) {
            true => format!("reshape it to {}", ty.shape),
            false => format!("give {} elements in shape {}", elements(&ty.shape), ty.shape),
        };
        return Some(Diagnostic::error(codes::INPUT_SHAPE, message).help(help));
    }
    for (axis, (&dim, &size)) in ty.shape.iter().zip(tensor.shape()).enumerate() {
        if !matches!(dim, Dim::Symbol(_)) {
            continue;
        }
        let here = format!("dimension {axis} of `{name}`");
        let (first, place) = symbols.entry(dim).or_insert_with(|| (size, here.clone()));
        if *first != size {
            let message = format!("{here} is {size} but must equal {place}, which is {first}");
            let help = "give inputs whose sizes agree";
            return Some(Diagnostic::error(codes::INPUT_SHAPE, message).help(help));
        }
    }
    None
}

fn elements(shape: &Shape) -> String {
    shape.count().map_or_else(|| "the".to_owned(), |n| n.to_string())
}

/// The outputs under their names. A dictionary, of which ops make the values only, becomes two tensors: `NAME::keys`, from
/// the classes of the op that makes it, and `NAME::values`.
pub(crate) fn named_outputs(program: &Program, function: &Function, results: Vec<Tensor>) -> Vec<Named> {
    let mut named = Vec::with_capacity(results.len());
    for (&value, tensor) in function.outputs().iter().zip(results) {
        let Value { name, ty, .. } = &function.values[value];
        let keys = matches!(ty, Type::Dict(..)).then(|| keys_of(program, function, value)).flatten();
        match keys {
            Some(keys) => {
                named.push((Name::new(&format!("{name}::keys")), keys));
                named.push((Name::new(&format!("{name}::values")), tensor));
            }
            None => named.push((name.clone(), tensor)),
        }
    }
    named
}

/// The labels that the op behind a dictionary was given.
fn keys_of(program: &Program, function: &Function, value: ValueId) -> Option<Tensor> {
    let Def::Output(op, _) = function.values[value].def else { return None };
    let constant = match function.ops[op].arg("classes")?.single()? {
        Binding::Constant(constant) => constant,
        Binding::Value(v) => {
            let Def::Output(op, _) = function.values[*v].def else { return None };
            function.ops[op].attribute("val")?
        }
    };
    crate::reference::constant(program, constant)?.to_tensor().ok()
}

/// A state's zero contents. State types are static: the checker refuses others.
pub(crate) fn zero_state(name: &Name, ty: &TensorType) -> Result<Tensor, RunError> {
    let sizes = ty.shape.sizes().filter(|_| ty.dtype != DType::String);
    sizes.and_then(|sizes| Tensor::zeros(ty.dtype, &sizes).ok()).ok_or_else(|| {
        let message = format!("state `{name}` of type {ty} cannot be allocated");
        RunError::refused(Diagnostic::error(codes::STATE_TYPE, message).help("declare all its sizes"))
    })
}

/// Checks a tensor that is to become the contents of a state.
pub(crate) fn check_state(function: &Function, name: &str, tensor: &Tensor) -> Result<usize, RunError> {
    let Some((index, (_, name, ty))) = states(function).enumerate().find(|(_, (_, n, _))| ***n == *name)
    else {
        let names: Vec<&str> = states(function).map(|(_, n, _)| n.as_str()).collect();
        let help = match names.is_empty() {
            true => "the function has no states".to_owned(),
            false => format!("its states are {}", names.join(", ")),
        };
        let message = format!("function `{}` has no state `{name}`", function.name);
        let unknown = Diagnostic::error(codes::STATE_UNKNOWN, message).help(help);
        return Err(RunError::refused(unknown.label(at(function, None))));
    };
    if tensor.ty() == *ty {
        return Ok(index);
    }
    let message = format!("state `{name}` is {} but must be {ty}", tensor.ty());
    let wrong = Diagnostic::error(codes::STATE_TYPE, message).help("give exactly that type");
    Err(RunError::refused(wrong.label(at(function, Some(name)))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mil_check::{Target, check};
    use mil_ir::Origins;
    use mil_ops::OpSet;

    #[test]
    fn a_program_without_functions_says_so() {
        let checked = check(Program::default(), &Origins::default(), &OpSet::standard(), Target::default());
        let error = find_function(&checked.unwrap(), None).unwrap_err();
        assert!(error.to_string().starts_with("the program has no function ["), "{error}");
    }
}
