//! The boundary of a program for the Neural Engine, which takes and gives no fp32 (`facts/e5rt-chips-rules.md` rule 12): casts that stand
//! at it move to our side of it.

use super::compile::Devices;
use crate::codes;
use crate::error::BridgeError;
use crate::ports::{Port, Ports};
use mil_base::{DType, Shape, Tensor, Type, f16};
use mil_check::Checked;
use mil_ir::{Binding, Def, Function, FunctionId, Op, OpId, Patch, Program, ValueId, ops_in_order, uses};

/// A function's ports, as the caller and as the compiled program know them.
#[derive(Clone, Debug)]
pub(super) struct Boundary {
    /// As the caller knows them.
    pub(super) ports: Ports,
    /// As the compiled program does, in the same order: other names and types where a cast moved.
    pub(super) inner: Ports,
}

/// The program to compile, and its boundaries by function.
pub(super) fn adapt(checked: &Checked, devices: Devices) -> Result<(Program, Vec<Boundary>), BridgeError> {
    let mut program = checked.program().clone();
    let mut boundaries = Vec::new();
    for id in checked.program().functions.ids() {
        let ports = Ports::of(checked, id)?;
        let mut inner = ports.clone();
        if devices == Devices::NeuralEngine {
            move_casts(checked, id, &mut program, &mut inner);
        }
        boundaries.push(Boundary { ports, inner });
    }
    Ok((program, boundaries))
}

/// The types that the engine takes and gives.
const TAKEN: [DType; 5] = [DType::Fp16, DType::Int8, DType::UInt8, DType::Int16, DType::UInt16];

/// The compiler's error, explained if it has to do with types that the engine is said not to take. Whether it takes one, only the
/// compiler decides: the rule has one source.
pub(super) fn explained(error: BridgeError, boundaries: &[Boundary]) -> BridgeError {
    let ports = |b| {
        let Ports { inputs, outputs, states, .. }: &'_ Ports = b;
        inputs.iter().chain(outputs).chain(states)
    };
    let odd = boundaries.iter().flat_map(|b| ports(&b.inner)).find(|p| !TAKEN.contains(&p.dtype));
    let Some(port) = odd else { return error };
    BridgeError::refused(
        codes::PORT_TYPE,
        format!(
            "{error}; `{}` is {}, which the Neural Engine does not take at the boundary of a program",
            port.name, port.dtype
        ),
        "cast it to fp16 inside the program (a cast right at the boundary is moved out of the way), or use another runtime",
    )
}

/// Lets the function take fp16 where it takes fp32 only to cast it, and give fp16 where it casts only to give.
fn move_casts(checked: &Checked, id: FunctionId, program: &mut Program, inner: &mut Ports) {
    let function = &mut program.functions[id];
    let params: Vec<ValueId> = mil_run::inputs(function).map(|(v, _, _)| v).collect();
    for (port, param) in inner.inputs.iter_mut().zip(params) {
        let Some(casts) = casts_of(checked, id, function, param).filter(|_| port.dtype == DType::Fp32) else {
            continue;
        };
        if give_halves(function, param, &casts, port) {
            *port = half(port);
        }
    }
    for (index, port) in inner.outputs.iter_mut().enumerate() {
        if port.dtype == DType::Fp32
            && let Some(value) = source(checked, id, function, function.outputs()[index])
            && !function.outputs().contains(&value)
        {
            let body = function.body;
            function.blocks[body].results[index] = value;
            *port = Port { name: function.values[value].name.clone(), ..half(port) };
        }
    }
    drop_unused_casts(function);
}

fn half(port: &Port) -> Port {
    Port { name: port.name.clone(), dtype: DType::Fp16, shape: port.shape.clone(), bytes: port.bytes / 2 }
}

/// Every use of `value`, if all are casts to fp16 and there is one.
fn casts_of(checked: &Checked, id: FunctionId, f: &Function, value: ValueId) -> Option<Vec<OpId>> {
    let takes = |op: &Op| op.args.iter().flat_map(|(_, a)| &a.0).any(|b| *b == Binding::Value(value));
    let users: Vec<OpId> = ops_in_order(f).into_iter().filter(|&op| takes(&f.ops[op])).collect();
    let given = f.blocks.iter().any(|(_, b)| b.results.contains(&value));
    let all = users.iter().all(|&op| is_cast(checked, id, f, op, DType::Fp16));
    (all && !given && !users.is_empty()).then_some(users)
}

fn is_cast(checked: &Checked, id: FunctionId, f: &Function, op: OpId, to: DType) -> bool {
    let op = &f.ops[op];
    let ty = op.outputs.first().map(|&v| checked.ty(id, v).unwrap_or(&f.values[v].ty));
    op.name.as_str() == "cast" && ty.and_then(Type::as_tensor).is_some_and(|ty| ty.dtype == to)
}

/// Makes `param` fp16 and lets it stand for what the casts gave. No if a cast's result is an output, which must keep its name,
/// or if no op would be left, which the compiler cannot bear (rule 11).
fn give_halves(f: &mut Function, param: ValueId, casts: &[OpId], port: &Port) -> bool {
    let made = |f: &Function, op: OpId| f.ops[op].outputs.first().copied();
    if casts.iter().filter_map(|&op| made(f, op)).any(|v| f.outputs().contains(&v)) {
        return false;
    }
    let mut patch = Patch::new(f);
    for &op in casts {
        if let Some(value) = made(f, op) {
            patch.replace(value, param);
        }
        patch.remove(op);
    }
    if patch.apply(f).is_err() {
        return false;
    }
    f.values[param].ty = Type::tensor(DType::Fp16, Shape::known(&port.shape));
    true
}

/// The fp16 value that a cast makes `output` of.
fn source(checked: &Checked, id: FunctionId, f: &Function, output: ValueId) -> Option<ValueId> {
    let Def::Output(op, 0) = f.values[output].def else { return None };
    if !is_cast(checked, id, f, op, DType::Fp32) {
        return None;
    }
    let Some(Binding::Value(value)) = f.ops[op].arg("x")?.single() else { return None };
    let from = f.values[*value].ty.as_tensor().filter(|ty| ty.dtype == DType::Fp16);
    // A parameter cannot be an output, and neither can a constant.
    let made = match f.values[*value].def {
        Def::Output(op, _) => f.ops[op].block == f.body && f.ops[op].name.as_str() != "const",
        Def::Param(..) => false,
    };
    from.filter(|_| made).map(|_| *value)
}

/// Casts whose results nobody uses any more.
fn drop_unused_casts(f: &mut Function) {
    let counts = uses(f);
    let unused = |op: &OpId| {
        let op = &f.ops[*op];
        op.name.as_str() == "cast" && op.outputs.iter().all(|v| counts.get(v.index()) == Some(&0))
    };
    let unused: Vec<OpId> = f.blocks[f.body].ops.iter().copied().filter(unused).collect();
    let body = f.body;
    f.blocks[body].ops.retain(|op| !unused.contains(op));
}

/// A tensor as the other side of the boundary has it: the same, or cast between fp16 and fp32 as the op `cast` would.
pub(super) fn cross(tensor: &Tensor, to: DType) -> Result<Vec<u8>, BridgeError> {
    cast(tensor.dtype(), tensor.bytes(), to)
}

/// Packed bytes of one type as those of another.
pub(super) fn cast(from: DType, bytes: &[u8], to: DType) -> Result<Vec<u8>, BridgeError> {
    match (from, to) {
        (from, to) if from == to => Ok(bytes.to_vec()),
        (DType::Fp32, DType::Fp16) => {
            let (values, _) = bytes.as_chunks::<4>();
            Ok(values.iter().flat_map(|b| f16::from_f32(f32::from_le_bytes(*b)).to_le_bytes()).collect())
        }
        (DType::Fp16, DType::Fp32) => {
            let (values, _) = bytes.as_chunks::<2>();
            Ok(values.iter().flat_map(|b| f16::from_le_bytes(*b).to_f32().to_le_bytes()).collect())
        }
        _ => Err(BridgeError::refused(
            codes::PORT_TYPE,
            format!("no tensor of {from} becomes one of {to} at the boundary"),
            "cast it inside the program",
        )),
    }
}
