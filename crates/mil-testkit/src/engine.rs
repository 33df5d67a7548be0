//! Runs a case by the cards' reference rules alone, op after op.

use crate::case::Case;
use mil_base::{Name, Tensor};
use mil_check::specialise;
use mil_ir::Binding;
use mil_ops::contract::{RefCall, RefTensor, Reference};

/// Why an engine gave no outputs.
#[derive(Clone, PartialEq, Debug)]
pub enum Problem {
    /// It cannot run such programs at all, with the reason.
    Unable(String),
    /// It failed.
    Failed(String),
}

/// The outputs of the case's function, computed in f64 and rounded at the end.
pub fn reference(case: &Case) -> Result<Vec<(Name, Tensor)>, Problem> {
    let failed = |e: String| Problem::Failed(e);
    let function = &case.checked.program().functions[case.function];
    let shapes: Vec<(Name, Vec<usize>)> =
        case.inputs.iter().map(|(n, t)| (n.clone(), t.shape().to_vec())).collect();
    let special = specialise(&case.checked, case.function, &shapes).map_err(|d| failed(format!("{d:?}")))?;
    let mut values: Vec<Option<RefTensor>> = vec![None; function.values.len()];
    for &param in function.params() {
        let name = &function.values[param].name;
        values[param.index()] = case.inputs.iter().find(|(n, _)| n == name).map(|(_, t)| RefTensor::of(t));
    }
    for &id in &function.blocks[function.body].ops {
        let op = &function.ops[id];
        let view = special.view(&case.checked, case.function, id).ok_or_else(|| failed("no card".into()))?;
        if &*op.name == "const" {
            let constant = op.attribute("val").and_then(|c| view.program.tensor(c));
            let constant = constant.ok_or_else(|| failed("a const without contents".into()))?;
            values[op.outputs[0].index()] = Some(RefTensor::of(&constant));
            continue;
        }
        let Reference::Rule(rule) = view.def.reference else {
            return Err(Problem::Unable(format!("`{}` needs a runtime", op.name)));
        };
        let constant = |c| view.program.tensor(c).map(|t| RefTensor::of(&t));
        let mut args: Vec<(&str, Vec<RefTensor>)> = Vec::new();
        for (name, arg) in &op.args {
            let bound = arg.0.iter().map(|binding| match binding {
                Binding::Value(v) => values[v.index()].clone(),
                Binding::Constant(c) => constant(c),
            });
            let bound = bound.collect::<Option<Vec<_>>>();
            args.push((&**name, bound.ok_or_else(|| failed(format!("`{name}` has no value")))?));
        }
        for (name, c) in op.attributes.iter().filter(|(n, _)| n != "name") {
            args.push((&**name, vec![constant(c).ok_or_else(|| failed(format!("`{name}` has no value")))?]));
        }
        let call = RefCall {
            def: view.def,
            version: view.version,
            args: args.iter().map(|(n, a)| (*n, a.iter().collect())).collect(),
            outputs: view.outputs().into_iter().flatten().cloned().collect(),
        };
        let results = rule(&call).map_err(|e| failed(e.to_string()))?;
        for (&output, result) in op.outputs.iter().zip(results) {
            values[output.index()] = Some(result);
        }
    }
    let output = |v: &mil_ir::ValueId| {
        let name = function.values[*v].name.clone();
        let value = values[v.index()].as_ref().ok_or_else(|| failed(format!("`{name}` was not computed")))?;
        Ok((name, value.to_tensor().map_err(|e| failed(e.to_string()))?))
    };
    function.outputs().iter().map(output).collect()
}
