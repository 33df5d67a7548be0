//! From places in a program to ranges of its text.

use mil_base::{Diagnostic, Place, Span};
use mil_ir::{FunctionId, OpId, Origins, Program};
use std::collections::HashMap;

/// Gives every label that has a place but no span the span of that place, where `origins` knows it. An argument is
/// found before its op, an output by its name, a parameter by its name, and a function by its name.
pub fn locate(diagnostics: &mut [Diagnostic], program: &Program, origins: &Origins) {
    if origins.functions.is_empty() {
        return;
    }
    let mut functions = HashMap::new();
    for (id, function) in program.functions.iter() {
        functions.entry(&*function.name).or_insert(id);
    }
    for label in diagnostics.iter_mut().flat_map(|d| &mut d.labels) {
        if label.span.is_some() {
            continue;
        }
        let Some(&function) = label.place.function.as_ref().and_then(|f| functions.get(&**f)) else {
            continue;
        };
        label.span = span(&label.place, program, function, origins);
    }
}

fn span(place: &Place, program: &Program, id: FunctionId, origins: &Origins) -> Option<Span> {
    let function = &program.functions[id];
    let argument = place.argument.as_deref();
    let Some(op) = place.op.map(|op| OpId::from_index(op as usize)) else {
        let name = origins.functions.get(id.index()).map(|t| t.name);
        let Some(argument) = argument else { return name };
        let body = function.blocks.get(function.body)?;
        let named = |v: &&mil_ir::ValueId| function.values.get(**v).is_some_and(|v| v.name == *argument);
        let value = body.params.iter().chain(&body.results).find(named);
        return value.and_then(|&v| origins.value(id, v)).or(name);
    };
    if let Some(argument) = argument {
        if let Some(span) = origins.arg(id, op, argument) {
            return Some(span);
        }
        let ops = function.ops.get(op)?;
        let params = ops.blocks.iter().filter_map(|&b| function.blocks.get(b)).flat_map(|b| &b.params);
        let output = ops
            .outputs
            .iter()
            .chain(params)
            .find(|&&v| function.values.get(v).is_some_and(|v| v.name == *argument));
        if let Some(span) = output.and_then(|&v| origins.value(id, v)) {
            return Some(span);
        }
    }
    origins.op(id, op)
}
