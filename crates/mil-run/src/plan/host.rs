//! Ops at the end of a function whose results have no bytes (a class label, a dictionary): they are computed by their
//! card's definition after the plan has run, so that the rest can be planned.

use super::Plan;
use crate::error::RunError;
use crate::interpret::Order;
use crate::reference::{Value, run_rule};
use crate::single;
use mil_base::Tensor;
use mil_check::{Checked, Specialised};
use mil_ir::{Function, FunctionId, OpId, ValueId};
use mil_ops::contract::{Failure, RefTensor, Reference};
use std::collections::HashMap;

/// Takes such ops out of the order; gives them, and the values they read, which the plan must hand out.
pub(super) fn take_host_ops(
    checked: &Checked,
    function: FunctionId,
    types: &Specialised,
    order: &mut Order,
) -> (Vec<OpId>, Vec<ValueId>) {
    let f = &checked.program().functions[function];
    let body = &mut order.blocks[f.body.index()];
    let has_bytes = |v: ValueId| types.types[v.index()].as_ref().and_then(single::concrete).is_some();
    let used: Vec<ValueId> = body.iter().flat_map(|&op| operands_of(f, op)).collect();
    let is_host = |op: OpId| {
        let rule = checked.card(function, op).is_some_and(|c| matches!(c.def.reference, Reference::Rule(_)));
        let outputs = &f.ops[op].outputs;
        let at_the_end = outputs.iter().all(|v| !used.contains(v));
        let odd = outputs.iter().any(|&v| types.known[v.index()].is_none() && !has_bytes(v));
        rule && f.ops[op].blocks.is_empty() && odd && at_the_end
    };
    let host: Vec<OpId> = body.iter().copied().filter(|&op| is_host(op)).collect();
    // Constant lists need no place: whoever reads one finds it in the program.
    let is_list = |op: OpId| &*f.ops[op].name == "const" && f.ops[op].outputs.iter().all(|&v| !has_bytes(v));
    body.retain(|&op| !host.contains(&op) && !is_list(op));
    let reads = host.iter().flat_map(|&op| operands_of(f, op));
    let reads = reads.filter(|&v| has_bytes(v) && types.known[v.index()].is_none()).collect();
    (host, reads)
}

fn operands_of(f: &Function, op: OpId) -> Vec<ValueId> {
    let bindings = f.ops[op].args.iter().flat_map(|(_, a)| &a.0);
    let values = bindings.filter_map(|b| match b {
        mil_ir::Binding::Value(v) => Some(*v),
        mil_ir::Binding::Constant(_) => None,
    });
    values.collect()
}

impl Plan {
    /// Adds the results of the host ops to what the plan has handed out.
    pub(crate) fn run_host_ops(&self, made: &mut HashMap<ValueId, Tensor>) -> Result<(), RunError> {
        let f = &self.checked.program().functions[self.function];
        for &op in &self.host {
            let fail = |failure: Failure| RunError::op(failure, f.place(op));
            let view = self.types.view(&self.checked, self.function, op);
            let view = view.ok_or_else(|| RunError::internal("an op has no card"))?;
            let operand = |v: ValueId| {
                let known = self.types.known[v.index()].as_ref();
                made.get(&v).or(known).map(|t| Value::new(RefTensor::of(t)))
            };
            let results = run_rule(&view, &operand).map_err(fail)?;
            for (&v, result) in f.ops[op].outputs.iter().zip(results) {
                let tensor = result.to_tensor().map_err(|e| RunError::internal(format!("a result {e}")))?;
                made.insert(v, tensor);
            }
        }
        Ok(())
    }
}
