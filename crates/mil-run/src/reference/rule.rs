//! One op by its card's definition.

use super::Value;
use crate::codes;
use mil_base::{DType, TensorType, Type};
use mil_ir::{Binding, Constant, Payload, Program, ValueId};
use mil_ops::OpView;
use mil_ops::contract::{Failure, RefCall, RefData, RefTensor, Reference};
use std::sync::Arc;

/// The outputs of the op under `view`. `operand` gives the values it refers to.
pub(crate) fn run_rule(
    view: &OpView<'_>,
    operand: &dyn Fn(ValueId) -> Option<Value>,
) -> Result<Vec<RefTensor>, Failure> {
    let rule = match view.def.reference {
        Reference::Rule(rule) => rule,
        Reference::Runtime(what) => {
            let message = format!("`{}` is not computed by a rule ({what})", view.def.name);
            return Err(Failure::new(codes::NO_RULE, message));
        }
    };
    let op = view.op();
    let missing = |name: &str| {
        let message = format!("`{}` cannot read its argument `{name}`", view.def.name);
        Failure::new("op/argument-unreadable", message)
    };
    let mut held: Vec<(&str, Vec<Value>)> = Vec::with_capacity(op.args.len() + op.attributes.len());
    for (name, arg) in &op.args {
        let each = arg.0.iter().map(|binding| match binding {
            Binding::Value(v) => operand(*v).or_else(|| list_of(view, *v)),
            Binding::Constant(c) => constant(view.program, c),
        });
        held.push((name, each.collect::<Option<Vec<_>>>().ok_or_else(|| missing(name))?));
    }
    for (name, c) in op.attributes.iter().filter(|(n, _)| n != "name") {
        if let Some(value) = constant(view.program, c) {
            held.push((name, vec![value]));
        }
    }
    let args = held.iter().map(|(name, all)| (*name, all.iter().map(Arc::as_ref).collect())).collect();
    let outputs = op.outputs.iter().map(|v| output_type(view, *v)).collect();
    let outs = rule(&RefCall { def: view.def, version: view.version, args, outputs })?;
    let sound = outs.len() == op.outputs.len() && outs.iter().all(is_sound);
    if !sound {
        let message = format!("the reference of `{}` gave something of the wrong size", view.def.name);
        return Err(Failure::new(codes::INTERNAL, message));
    }
    Ok(outs)
}

fn output_type(view: &OpView<'_>, value: ValueId) -> TensorType {
    let known = view.types.get(value.index()).and_then(Option::as_ref);
    let ty = known.unwrap_or(&view.function.values[value].ty);
    match ty {
        Type::Tensor(t) => t.clone(),
        _ => TensorType::scalar(DType::Fp32),
    }
}

fn is_sound(tensor: &RefTensor) -> bool {
    let len = match &tensor.data {
        RefData::Float(v) => v.len(),
        RefData::Int(v) => v.len(),
        RefData::Bool(v) => v.len(),
        RefData::Text(v) => v.len(),
    };
    mil_base::tensor::count(&tensor.shape) == Some(len)
}

/// A constant as a tensor; a list of scalars becomes a vector.
pub(crate) fn constant(program: &Program, c: &Constant) -> Option<Value> {
    if let Some(tensor) = program.tensor(c) {
        return Some(Arc::new(RefTensor::of(&tensor)));
    }
    let Payload::List(items) = &c.payload else { return None };
    let mut strings = Vec::new();
    let mut ints = Vec::new();
    for item in items {
        let Payload::Tensor(t) = item else { return None };
        strings.extend(t.strings().iter().cloned());
        ints.extend(t.to_i64());
    }
    let tensor = if strings.len() == items.len() {
        RefTensor { dtype: DType::String, shape: vec![strings.len()], data: RefData::Text(strings) }
    } else {
        RefTensor { dtype: DType::Int64, shape: vec![ints.len()], data: RefData::Int(ints) }
    };
    Some(Arc::new(tensor))
}

/// The contents of a `const` that holds a list.
fn list_of(view: &OpView<'_>, value: ValueId) -> Option<Value> {
    let mil_ir::Def::Output(op, _) = view.function.values[value].def else { return None };
    constant(view.program, view.function.ops[op].attribute("val")?)
}
