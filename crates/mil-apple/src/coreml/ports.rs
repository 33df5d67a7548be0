//! What crosses the boundary of a Core ML model: arrays by name. Sizes may be open, which the framework allows.

use crate::codes;
use crate::coreml::array::data_type;
use crate::error::BridgeError;
use mil_base::{DType, Name, TensorType, Type};
use mil_check::Checked;
use mil_ir::FunctionId;

/// An array that goes in or out.
#[derive(Clone, PartialEq, Debug)]
pub struct Port {
    /// Its name in the program, which is its name in the model.
    pub name: Name,
    /// Its element type.
    pub dtype: DType,
    /// How many axes.
    pub rank: usize,
    /// Its sizes, if all are fixed.
    pub shape: Option<Vec<usize>>,
}

/// A function's arrays.
#[derive(Clone, PartialEq, Debug)]
pub struct Ports {
    /// The function's name.
    pub function: Name,
    /// What comes out, in the order of the function's results.
    pub outputs: Vec<Port>,
    /// What stays between runs, in the order of the parameters.
    pub states: Vec<Port>,
}

fn port(name: &Name, ty: &TensorType) -> Result<Port, BridgeError> {
    if data_type(ty.dtype).is_none() {
        return Err(BridgeError::refused(
            codes::PORT_TYPE,
            format!("`{name}` is {ty}, and Core ML has no arrays of {}", ty.dtype),
            "cast inside the program; fp16, fp32 and int32 can cross its boundary",
        ));
    }
    Ok(Port { name: name.clone(), dtype: ty.dtype, rank: ty.shape.rank(), shape: ty.shape.sizes() })
}

impl Ports {
    /// The arrays of a function. Error: `apple/port-type`.
    pub fn of(checked: &Checked, id: FunctionId) -> Result<Ports, BridgeError> {
        let f = &checked.program().functions[id];
        let tensor = |name: &Name, ty: &Type| match ty.as_tensor() {
            Some(ty) => port(name, ty),
            None => Err(BridgeError::refused(
                codes::PORT_TYPE,
                format!("`{name}` is {ty}, which this runtime does not take or give"),
                "rewrite the function to take and give tensors",
            )),
        };
        let typed = |v: mil_ir::ValueId| checked.ty(id, v).unwrap_or(&f.values[v].ty);
        mil_run::inputs(f).try_for_each(|(v, n, _)| tensor(n, typed(v)).map(drop))?;
        Ok(Ports {
            function: f.name.clone(),
            outputs: f
                .outputs()
                .iter()
                .map(|&v| tensor(&f.values[v].name, typed(v)))
                .collect::<Result<_, _>>()?,
            states: mil_run::states(f).map(|(_, n, ty)| port(n, ty)).collect::<Result<_, _>>()?,
        })
    }
}
