//! Constants worked out when the program is planned: arithmetic on constants, and compressed weights that do not stay so
//! (`compressed.rs` says which).

use crate::error::{MemoryNeed, RunError};
use crate::reference::{Value, run_rule};
use crate::single::{self, Choice, Operand};
use mil_base::Tensor;
use mil_check::{Checked, Specialised};
use mil_ir::{FunctionId, OpId, ops_in_order};
use mil_kernels::Pool;
use mil_ops::OpView;
use mil_ops::contract::Failure;

/// A folded result may be this many times larger than what it is made from, and a little more: otherwise computing it
/// at run time costs less than holding it.
const GROWTH: usize = 4;
const SMALL: usize = 4096;

/// Extends `types.known` by every value that follows from constants; gives the ops worked out here.
///
/// `constexpr_*` ops that are `wanted` are expanded however much they grow (into their declared dtype: fp16 stays fp16). Each op
/// is computed as it would be at run time, by its kernel.
pub(crate) fn fold(
    checked: &Checked,
    function: FunctionId,
    types: &mut Specialised,
    wanted: &dyn Fn(OpId) -> bool,
    limit: Option<usize>,
    pool: &Pool,
) -> Result<Vec<OpId>, RunError> {
    let f = &checked.program().functions[function];
    let mut folded = Vec::new();
    let mut held = 0usize;
    for op in ops_in_order(f) {
        let outputs = &f.ops[op].outputs;
        let open = outputs.iter().any(|v| types.known[v.index()].is_none());
        if !open || !wanted(op) {
            continue;
        }
        let Some(view) = types.view(checked, function, op).filter(single::is_pure) else { continue };
        let Some(inputs) = known_inputs(&view) else { continue };
        let concretes = outputs.iter().map(|v| single::concrete(types.types[v.index()].as_ref()?));
        let Some(concretes) = concretes.collect::<Option<Vec<_>>>() else { continue };
        let made = concretes.iter().fold(0usize, |n, c| n.saturating_add(single::bytes_of(c)));
        let from = inputs.iter().fold(0usize, |n, t| n.saturating_add(t.bytes().len()));
        let expands = f.ops[op].name.starts_with("constexpr_");
        if !expands && made > from.saturating_mul(GROWTH).saturating_add(SMALL) {
            continue;
        }
        held = held.saturating_add(made);
        if let Some(limit) = limit.filter(|&l| held > l) {
            return Err(RunError::Memory(MemoryNeed { constants: held, limit, ..MemoryNeed::default() }));
        }
        let place = || f.place(op);
        let results = match single::choose(view, concretes.clone(), &[], pool.threads()) {
            Choice::Kernel(kernel) => single::run_once(&kernel, &inputs, &concretes, pool),
            Choice::Rule(_) => by_rule(&view),
        };
        let results = match results {
            Ok(results) => results,
            // A constant op that fails may stand where it is never run; then it fails only if it is.
            Err(_) if !expands => continue,
            Err(failure) => return Err(RunError::op(failure, place())),
        };
        let fit = results.len() == concretes.len()
            && results.iter().zip(&concretes).all(|(r, c)| r.dtype() == c.dtype && r.shape() == c.shape);
        if !fit {
            continue;
        }
        for (v, tensor) in outputs.iter().zip(results) {
            types.known[v.index()] = Some(tensor);
            types.constant[v.index()] = true;
        }
        folded.push(op);
    }
    Ok(folded)
}

/// Every input of the op, if all are known. An op without inputs is not worth folding.
fn known_inputs(view: &OpView<'_>) -> Option<Vec<Tensor>> {
    let each = single::operands(view).into_iter().map(|operand| match operand {
        Operand::Value(v) => single::aligned(view.known.get(v.index())?.clone()?),
        Operand::Constant(c) => single::aligned(view.program.tensor(c)?),
    });
    each.collect::<Option<Vec<_>>>().filter(|all| !all.is_empty())
}

/// By the card's definition, rounded once to the declared dtype.
pub(crate) fn by_rule(view: &OpView<'_>) -> Result<Vec<Tensor>, Failure> {
    let known = |v: mil_ir::ValueId| {
        let tensor = view.known.get(v.index())?.as_ref()?;
        Some(Value::new(mil_ops::contract::RefTensor::of(tensor)))
    };
    let outs = run_rule(view, &known)?;
    let tensor = |t: mil_ops::contract::RefTensor| {
        t.to_tensor().map_err(|e| Failure::new("run/tensor", format!("a result {e}")))
    };
    outs.into_iter().map(tensor).collect()
}
