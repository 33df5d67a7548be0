//! From a draft and its layout to a plan: every step's accesses are proven disjoint here.

use super::assign::{Layout, Place};
use super::draft::{self, BufId, Draft, How, Instr};
use super::{Code, Compute, CopyCode, Input, Plan, PlanMemory, PlannedStep, Port, Source};
use crate::arena::{Access, Region};
use crate::error::RunError;
use mil_check::{Checked, Specialised};
use mil_ir::{Function, FunctionId, OpId, ValueId};
use mil_ops::contract::Concrete;
use std::sync::Arc;

/// Turns a draft and its layout into a plan, proving every step's accesses disjoint.
pub(super) fn finish(
    checked: &Arc<Checked>,
    function: FunctionId,
    mut types: Specialised,
    folded: Vec<OpId>,
    draft: Draft,
    mut layout: Layout,
) -> Result<Plan, RunError> {
    let f = &checked.program().functions[function];
    let Draft { instrs, constants, inputs, outputs, states, owned, prepared, .. } = draft;
    let mut steps = Vec::new();
    let mut code = Vec::with_capacity(instrs.len());
    for (i, instr) in instrs.into_iter().enumerate() {
        let dead = std::mem::take(&mut layout.frees[i]);
        code.push(match instr {
            Instr::Step(_) if layout.elided[i] => Code::Nothing,
            Instr::Step(step) => {
                steps.push(finish_step(*step, &layout, dead)?);
                Code::Step(steps.len() - 1)
            }
            Instr::Copy { from, to } => copy(source(&layout, from), source(&layout, to), dead)?,
            Instr::Read { snapshot } if layout.shares_state[snapshot] => Code::Nothing,
            Instr::Read { snapshot } => {
                let state = snapshot_of(&draft.buffers, &states, snapshot);
                let state = state.ok_or_else(|| RunError::internal("a snapshot of no state"))?;
                copy(source(&layout, state), source(&layout, snapshot), dead)?
            }
            Instr::JumpUnless { test, to } => Code::JumpUnless { test: source(&layout, test), to },
            Instr::Jump { to } => Code::Jump { to },
        });
    }
    let name = |v: ValueId| f.values[v].name.clone();
    let inputs = inputs.into_iter().map(|(v, b)| {
        let ty = types.types[v.index()].as_ref().and_then(crate::single::concrete);
        let ty = ty.ok_or_else(|| RunError::internal("an input without sizes"))?;
        Ok(Port { value: v, name: name(v), ty, place: source(&layout, b) })
    });
    let inputs = inputs.collect::<Result<Vec<_>, RunError>>()?;
    let outputs =
        outputs.into_iter().map(|(v, b, ty)| Port { value: v, name: name(v), ty, place: source(&layout, b) });
    let outputs = outputs.collect();
    let states = crate::ports::states(f).zip(states);
    let states =
        states.map(|((v, _, _), (b, ty))| Port { value: v, name: name(v), ty, place: source(&layout, b) });
    let states = states.collect();
    let memory = PlanMemory {
        arena: layout.arena_bytes,
        states: layout.state_bytes,
        alive: layout.floor_bytes,
        constants: constants.iter().map(|t| t.bytes().len()).sum(),
        owned,
        prepared,
    };
    forget(&mut types, &steps, f);
    Ok(Plan {
        checked: checked.clone(),
        function,
        types,
        code,
        steps,
        constants,
        inputs,
        outputs,
        states,
        folded,
        host: Vec::new(),
        memory,
    })
}

/// Lets go of expanded constants that no step reads any more, because kernels keep them in another form.
fn forget(types: &mut Specialised, steps: &[PlannedStep], f: &Function) {
    let by_rule = steps.iter().filter(|s| matches!(s.how, Compute::Rule(_))).flat_map(|s| &s.ops);
    let mut kept = vec![false; f.values.len()];
    for &op in by_rule {
        for binding in f.ops[op].args.iter().flat_map(|(_, a)| &a.0) {
            if let mil_ir::Binding::Value(v) = binding {
                kept[v.index()] = true;
            }
        }
    }
    for (id, value) in f.values.iter() {
        let mil_ir::Def::Output(op, _) = value.def else { continue };
        if f.ops[op].name.starts_with("constexpr_") && !kept[id.index()] {
            types.known[id.index()] = None;
        }
    }
}

fn snapshot_of(buffers: &[draft::Buffer], states: &[(BufId, Concrete)], snapshot: BufId) -> Option<BufId> {
    match buffers.get(snapshot)?.kind {
        draft::Kind::Snapshot(number) => states.get(number).map(|s| s.0),
        _ => None,
    }
}

fn source(layout: &Layout, buffer: BufId) -> Source {
    match layout.places[buffer] {
        Place::Arena(region) => Source::Arena(region),
        Place::Constant(number) => Source::Constant(number),
        Place::Empty => Source::Empty,
    }
}

fn copy(from: Source, to: Source, dead: Vec<Region>) -> Result<Code, RunError> {
    let Source::Arena(to) = to else { return Err(RunError::internal("a copy to a constant")) };
    let reads = match from {
        Source::Arena(from) if from == to => return Ok(Code::Nothing),
        Source::Arena(from) => vec![from],
        _ => Vec::new(),
    };
    let access = Access::new(reads, vec![to]).ok_or_else(|| RunError::internal("a copy overlaps itself"))?;
    Ok(Code::Copy(CopyCode { access, from, dead }))
}

fn finish_step(step: draft::Step, layout: &Layout, dead: Vec<Region>) -> Result<PlannedStep, RunError> {
    let draft::Step { ops, how, inputs, values, outputs, output_types, scratch } = step;
    let region = |b: BufId| match layout.places[b] {
        Place::Arena(region) => Ok(region),
        _ => Err(RunError::internal("an output outside the arena")),
    };
    let mut writes = outputs.iter().map(|&b| region(b)).collect::<Result<Vec<_>, _>>()?;
    let mut reads = Vec::new();
    let mut slots = Vec::with_capacity(inputs.len());
    for buffer in &inputs {
        slots.push(match buffer.map(|b| source(layout, b)) {
            None | Some(Source::Empty) => Input::Empty,
            Some(Source::Constant(number)) => Input::Constant(number),
            Some(Source::Arena(r)) if r.len > 0 && writes.first() == Some(&r) => Input::Over,
            Some(Source::Arena(r)) => {
                reads.push(r);
                Input::Read(reads.len() - 1)
            }
        });
    }
    let operands =
        values.iter().zip(&inputs).filter_map(|(v, b)| Some(((*v)?, source(layout, (*b)?)))).collect();
    if let Some(buffer) = scratch {
        writes.push(region(buffer)?);
    }
    let access = Access::new(reads, writes).ok_or_else(|| RunError::internal("a step's buffers overlap"))?;
    let empty = !output_types.is_empty() && output_types.iter().all(|t| t.bytes() == 0);
    let how = match how {
        _ if empty => Compute::Nothing,
        How::Kernel(kernel) => Compute::Kernel(kernel),
        How::Rule(why) => Compute::Rule(why),
    };
    Ok(PlannedStep {
        ops,
        how,
        inputs: slots,
        access,
        output_types,
        scratch: scratch.is_some(),
        operands,
        dead,
    })
}
