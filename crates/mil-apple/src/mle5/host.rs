//! The host model: the engine wants a model's description with the program's own names and shapes, and a container that only a
//! loaded model has. The research borrowed a model that happened to fit; this one is made to.

use crate::error::BridgeError;
use crate::ports::{Port, Ports};
use mil_base::{Arena, DType, Name, Shape, Tensor, TensorType, Type};
use mil_check::Checked;
use mil_ir::{Arg, Builder, Constant, Function, Program, ValueId};

/// A program with the same functions, inputs, outputs and states, which computes nothing: outputs are filled with zeros.
///
/// Errors: those of [`Ports::of`].
pub fn program(checked: &Checked) -> Result<Program, BridgeError> {
    let mut functions = Arena::new();
    for (id, f) in checked.program().functions.iter() {
        functions.push(function(f, &Ports::of(checked, id)?)?);
    }
    Ok(Program { version: checked.program().version, attributes: Vec::new(), functions, blobs: Arena::new() })
}

fn function(f: &Function, ports: &Ports) -> Result<Function, BridgeError> {
    let mut builder = Builder::new(f.name.clone(), f.opset.clone());
    let params: Vec<(Name, ValueId)> = f
        .params()
        .iter()
        .map(|&v| (f.values[v].name.clone(), builder.param(f.values[v].name.clone(), f.values[v].ty.clone())))
        .collect();
    for (i, state) in ports.states.iter().enumerate() {
        if let Some((_, param)) = params.iter().find(|(name, _)| *name == state.name) {
            let name = Name::new(&format!("milwright_state_{i}"));
            let args = vec![("input".into(), Arg::value(*param))];
            builder.op("read_state", args, label(&name), vec![(name.clone(), ty(state))]);
        }
    }
    let mut results: Vec<(Name, ValueId)> = Vec::new();
    let mut yields = Vec::new();
    for (i, port) in ports.outputs.iter().enumerate() {
        let known = params.iter().chain(&results).find(|(name, _)| *name == port.name).map(|(_, v)| *v);
        let value = match known {
            Some(value) => value,
            None => zeros(&mut builder, port, i)?,
        };
        results.push((port.name.clone(), value));
        yields.push(value);
    }
    Ok(builder.finish(yields))
}

fn ty(port: &Port) -> Type {
    Type::Tensor(TensorType::new(port.dtype, Shape::known(&port.shape)))
}

fn label(name: &Name) -> Vec<(Name, Constant)> {
    vec![("name".into(), Constant::string(name))]
}

fn zeros(builder: &mut Builder, port: &Port, i: usize) -> Result<ValueId, BridgeError> {
    let odd = || BridgeError::Null { call: "making the host model" };
    let zero = Tensor::zeros(port.dtype, &[]).map_err(|_| odd())?;
    let zero = builder.constant(format!("milwright_zero_{i}").as_str(), Constant::tensor(zero));
    let (kind, args) = if port.shape.is_empty() {
        ("identity", vec![("x".into(), Arg::value(zero))])
    } else {
        let sizes: Vec<i64> = port.shape.iter().map(|&n| n as i64).collect();
        let sizes = Tensor::from_i64(DType::Int32, &[sizes.len()], &sizes).map_err(|_| odd())?;
        let sizes = builder.constant(format!("milwright_shape_{i}").as_str(), Constant::tensor(sizes));
        ("fill", vec![("shape".into(), Arg::value(sizes)), ("value".into(), Arg::value(zero))])
    };
    let op = builder.op(kind, args, label(&port.name), vec![(port.name.clone(), ty(port))]);
    builder.function().ops[op].outputs.first().copied().ok_or_else(odd)
}
