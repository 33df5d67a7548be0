//! What a program consists of, op by op, and what share of a run each op is estimated to take.

use crate::model::ports;
use crate::open::Opened;
use mil_base::{Name, Opset, Type};
use mil_check::{Checked, Specialised, specialise};
use mil_ir::{Arg, Binding, BlockId, FunctionId, OpId, ValueId, walk_blocks};
use mil_ops::OpView;
use std::collections::HashMap;

/// A byte that an op reads or writes weighs as much as this many floating-point operations: about what a core computes
/// while memory delivers it. A round figure for estimates, not a measurement.
const WORK_OF_A_BYTE: u64 = 8;

/// A function as it is written.
#[derive(Clone, PartialEq, Debug)]
pub struct FunctionOutline {
    /// Its name.
    pub name: Name,
    /// Its op set.
    pub opset: Opset,
    /// Its parameters, states among them.
    pub params: Vec<(Name, Type)>,
    /// Its blocks: the body first, an outer block before those nested in it.
    pub blocks: Vec<BlockOutline>,
}

/// A block as it is written.
#[derive(Clone, PartialEq, Debug)]
pub struct BlockOutline {
    /// What a nested block receives; none for a function's body, whose parameters are the function's.
    pub params: Vec<(Name, Type)>,
    /// The ops, in order of execution.
    pub ops: Vec<OpOutline>,
    /// The names of the values it yields.
    pub results: Vec<Name>,
}

/// An op as it is written.
#[derive(Clone, PartialEq, Debug)]
pub struct OpOutline {
    /// The kind of op, `layer_norm`.
    pub name: Name,
    /// The arguments: for each binding the name of the value, or nothing for one that is written out.
    pub args: Vec<(Name, Vec<Option<Name>>)>,
    /// The values it defines.
    pub outputs: Vec<(Name, Type)>,
    /// The nested blocks, as places in [`FunctionOutline::blocks`].
    pub blocks: Vec<usize>,
    /// The estimated share of the op in a run of the function with inputs of their usual shapes, nested ops counted once:
    /// floating-point operations and bytes read and written, weighed. Nothing for constants, for ops with blocks, and where sizes
    /// depend on data.
    pub share: Option<f64>,
}

/// Every function of a program, op by op. `checked` must be that program.
pub fn outline(opened: &Opened, checked: &Checked) -> Vec<FunctionOutline> {
    let program = checked.program();
    program.functions.ids().map(|id| function(opened, checked, id)).collect()
}

fn function(opened: &Opened, checked: &Checked, id: FunctionId) -> FunctionOutline {
    let f = &checked.program().functions[id];
    let mut order = Vec::new();
    walk_blocks(f, f.body, |block| order.push(block));
    let places: HashMap<BlockId, usize> = order.iter().enumerate().map(|(at, &b)| (b, at)).collect();
    let named = |v: &ValueId| (f.values[*v].name.clone(), f.values[*v].ty.clone());
    let binding = |binding: &Binding| match binding {
        Binding::Value(v) => Some(f.values[*v].name.clone()),
        Binding::Constant(_) => None,
    };
    let arg = |(name, arg): &(Name, Arg)| (name.clone(), arg.0.iter().map(binding).collect());
    let shares = shares(opened, checked, id);
    let op = |id: &OpId| {
        let op = &f.ops[*id];
        OpOutline {
            name: op.name.clone(),
            args: op.args.iter().map(arg).collect(),
            outputs: op.outputs.iter().map(named).collect(),
            blocks: op.blocks.iter().filter_map(|b| places.get(b).copied()).collect(),
            share: shares.get(id).copied(),
        }
    };
    let block = |b: &BlockId| {
        let block = &f.blocks[*b];
        let params = if *b == f.body { &[][..] } else { &block.params };
        BlockOutline {
            params: params.iter().map(named).collect(),
            ops: block.ops.iter().map(op).collect(),
            results: block.results.iter().map(|v| f.values[*v].name.clone()).collect(),
        }
    };
    FunctionOutline {
        name: f.name.clone(),
        opset: checked.opset(id),
        params: f.params().iter().map(named).collect(),
        blocks: order.iter().map(block).collect(),
    }
}

/// The shares of the ops whose work is known.
fn shares(opened: &Opened, checked: &Checked, id: FunctionId) -> HashMap<OpId, f64> {
    let usual: Vec<_> =
        ports(opened, checked, id).into_iter().map(|port| (port.name, port.usual_shape)).collect();
    let Ok(types) = specialise(checked, id, &usual) else { return HashMap::new() };
    let f = &checked.program().functions[id];
    let works: Vec<(OpId, u64)> = mil_ir::ops_in_order(f)
        .into_iter()
        .filter_map(|op| Some((op, work(checked, &types, id, op)?)))
        .collect();
    let total: f64 = works.iter().map(|(_, work)| *work as f64).sum();
    works.into_iter().map(|(op, work)| (op, if total > 0.0 { work as f64 / total } else { 0.0 })).collect()
}

/// The weighed work of an op; see [`OpOutline::share`].
fn work(checked: &Checked, types: &Specialised, function: FunctionId, op: OpId) -> Option<u64> {
    let view = types.view(checked, function, op)?;
    let op = view.op();
    if op.name == "const" || !op.blocks.is_empty() {
        return None;
    }
    let bytes = moved(&view)?.checked_mul(WORK_OF_A_BYTE)?;
    (view.def.cost)(&view)?.checked_add(bytes)
}

/// Bytes of the tensors an op reads and writes.
fn moved(view: &OpView<'_>) -> Option<u64> {
    let bindings = view.op().args.iter().flat_map(|(_, arg)| &arg.0);
    let read = bindings.map(|binding| match binding {
        Binding::Value(v) => view.types.get(v.index()).and_then(Option::as_ref),
        Binding::Constant(c) => Some(&c.ty),
    });
    let written = view.op().outputs.iter().map(|v| view.types.get(v.index()).and_then(Option::as_ref));
    read.chain(written).try_fold(0u64, |sum, ty| {
        let bytes = match ty? {
            Type::Tensor(ty) => ty.dtype.bytes_for(ty.shape.count()?).unwrap_or(0),
            _ => 0,
        };
        sum.checked_add(u64::try_from(bytes).ok()?)
    })
}
