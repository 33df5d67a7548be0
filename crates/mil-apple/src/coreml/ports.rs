//! What crosses the boundary of a Core ML model: arrays by name. Sizes may be open, which the framework allows.

use crate::codes;
use crate::coreml::array::data_type;
use crate::error::BridgeError;
use mil_base::{DType, Name, TensorType};
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
pub type Ports = crate::ports::Ports<Port>;

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

/// The arrays of a function. Error: `apple/port-type`.
pub fn of(checked: &Checked, id: FunctionId) -> Result<Ports, BridgeError> {
    Ports::each(checked, id, "this runtime does not take or give", port)
}
