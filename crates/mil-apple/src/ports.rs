//! What goes in and comes out of a function, as the bridges need it: names, element types, concrete sizes, bytes.

use crate::codes;
use crate::error::BridgeError;
use mil_base::{DType, Name, TensorType, Type};
use mil_check::Checked;
use mil_ir::FunctionId;

/// A tensor with concrete sizes.
#[derive(Clone, PartialEq, Debug)]
pub struct Port {
    /// Its name in the program.
    pub name: Name,
    /// Its element type.
    pub dtype: DType,
    /// Its sizes.
    pub shape: Vec<usize>,
    /// Bytes of the packed tensor.
    pub bytes: usize,
}

/// A function's ports, in the order of declaration.
#[derive(Clone, PartialEq, Debug)]
pub struct Ports<P = Port> {
    /// The function's name.
    pub function: Name,
    /// What goes in.
    pub inputs: Vec<P>,
    /// What comes out.
    pub outputs: Vec<P>,
    /// What stays between runs.
    pub states: Vec<P>,
}

fn port(name: &Name, ty: &TensorType) -> Result<Port, BridgeError> {
    let Some(shape) = ty.shape.sizes() else {
        return Err(BridgeError::refused(
            codes::OPEN_SIZE,
            format!("`{name}` is {ty}, and this path compiles for fixed shapes"),
            "give the shape in the program, or run it with `--runtime coreml` or `cpu`",
        ));
    };
    let bytes = mil_base::tensor::count(&shape).and_then(|n| ty.dtype.bytes_for(n));
    let Some(bytes) = bytes.filter(|&n| isize::try_from(n).is_ok()) else {
        return Err(BridgeError::refused(
            codes::OPEN_SIZE,
            format!("`{name}` is {ty}, which is larger than memory"),
            "use smaller sizes",
        ));
    };
    Ok(Port { name: name.clone(), dtype: ty.dtype, shape, bytes })
}

impl Ports {
    /// The ports of a function of a checked program.
    ///
    /// Errors: `apple/open-size` for a size that is not fixed, `apple/port-type` for a value that is no tensor.
    pub fn of(checked: &Checked, id: FunctionId) -> Result<Ports, BridgeError> {
        Ports::each(checked, id, "cannot cross the boundary of a program", port)
    }
}

impl<P> Ports<P> {
    /// Every tensor of a function as `port` has it. A value that is no tensor is `apple/port-type`; `but` says what is wrong
    /// with it.
    pub(crate) fn each(
        checked: &Checked,
        id: FunctionId,
        but: &str,
        port: impl Fn(&Name, &TensorType) -> Result<P, BridgeError>,
    ) -> Result<Ports<P>, BridgeError> {
        let f = &checked.program().functions[id];
        let tensor = |name: &Name, ty: &Type| match ty.as_tensor() {
            Some(ty) => port(name, ty),
            None => Err(BridgeError::refused(
                codes::PORT_TYPE,
                format!("`{name}` is {ty}, which {but}"),
                "rewrite the function to take and give tensors",
            )),
        };
        let typed = |v: mil_ir::ValueId| checked.ty(id, v).unwrap_or(&f.values[v].ty);
        let outputs = f.outputs().iter().map(|&v| tensor(&f.values[v].name, typed(v)));
        Ok(Ports {
            function: f.name.clone(),
            inputs: mil_run::inputs(f).map(|(v, n, _)| tensor(n, typed(v))).collect::<Result<_, _>>()?,
            outputs: outputs.collect::<Result<_, _>>()?,
            states: mil_run::states(f).map(|(_, n, ty)| port(n, ty)).collect::<Result<_, _>>()?,
        })
    }
}
