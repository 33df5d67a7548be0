//! From groups of ops to instructions: kernels are chosen, values get buffers, views become other names.

use super::draft::{BufId, Buffer, Draft, Drafter, How, Instr, Kind, LoopId, NoDraft, Step};
use super::fuse::Group;
use crate::error::RunError;
use crate::single::{self, Choice, Operand};
use mil_base::{DType, Tensor};
use mil_ir::{BlockId, Constant, Function, OpId, ValueId};
use mil_ops::OpView;
use mil_ops::contract::{Alias, Concrete, CpuKernel, PostOp};
use std::collections::HashMap;

/// The function being lowered.
pub(super) struct Lower<'a> {
    pub(super) cx: &'a Drafter<'a>,
    pub(super) f: &'a Function,
    pub(super) draft: Draft,
    pub(super) place: Vec<Option<BufId>>,
    pub(super) state_of: HashMap<ValueId, usize>,
    /// The buffers of immediate values, by where they stand in the program.
    pub(super) immediates: HashMap<*const Constant, BufId>,
    /// The loop being lowered.
    pub(super) inside: Option<LoopId>,
    /// Bytes of constants and prepared constants so far.
    pub(super) held: usize,
}

impl<'a> Lower<'a> {
    pub(super) fn ty(&self, value: ValueId) -> Result<Concrete, NoDraft> {
        let ty = self.cx.types.types[value.index()].as_ref();
        ty.and_then(single::concrete).ok_or_else(|| NoDraft::Dynamic(self.f.values[value].name.to_string()))
    }

    pub(super) fn buffer(&mut self, kind: Kind, size: usize) -> BufId {
        self.draft.buffers.push(Buffer { kind, size, home: self.inside });
        self.draft.buffers.len() - 1
    }

    /// A new buffer for a value.
    pub(super) fn fresh(&mut self, value: ValueId) -> Result<BufId, NoDraft> {
        let size = single::bytes_of(&self.ty(value)?);
        let buffer = self.buffer(Kind::Arena, size);
        self.place[value.index()] = Some(buffer);
        Ok(buffer)
    }

    pub(super) fn constant(&mut self, tensor: &Tensor) -> Result<BufId, NoDraft> {
        if tensor.dtype() == DType::String {
            return Ok(self.buffer(Kind::Empty, 0));
        }
        let before = tensor.bytes().as_ptr();
        let tensor = single::aligned(tensor.clone())
            .ok_or_else(|| RunError::internal("memory ran out for a constant"))?;
        let size = tensor.bytes().len();
        if before != tensor.bytes().as_ptr() {
            self.draft.owned = self.draft.owned.saturating_add(size);
            self.hold(size)?;
        }
        self.draft.constants.push(tensor);
        let number = self.draft.constants.len() - 1;
        Ok(self.buffer(Kind::Constant(number), size))
    }

    /// An immediate value or attribute: one buffer however often its op is planned.
    fn immediate(&mut self, constant: &'a Constant) -> Result<BufId, NoDraft> {
        if let Some(&buffer) = self.immediates.get(&std::ptr::from_ref(constant)) {
            return Ok(buffer);
        }
        let buffer = match self.cx.checked.program().tensor(constant) {
            Some(tensor) => self.constant(&tensor)?,
            None => self.buffer(Kind::Empty, 0),
        };
        self.immediates.insert(constant, buffer);
        Ok(buffer)
    }

    /// Counts memory taken while planning, and stops when it is too much.
    pub(super) fn hold(&mut self, bytes: usize) -> Result<(), NoDraft> {
        self.held = self.held.saturating_add(bytes);
        match self.cx.limit.filter(|&limit| self.held > limit) {
            Some(limit) => Err(NoDraft::Error(RunError::Memory(crate::error::MemoryNeed {
                prepared: self.draft.prepared,
                constants: self.held - self.draft.prepared.min(self.held),
                limit,
                ..Default::default()
            }))),
            None => Ok(()),
        }
    }

    /// The buffer a value is in.
    pub(super) fn read(&mut self, value: ValueId) -> Result<BufId, NoDraft> {
        if let Some(buffer) = self.place[value.index()] {
            return Ok(buffer);
        }
        if let Some(tensor) = &self.cx.types.known[value.index()] {
            let buffer = self.constant(tensor)?;
            if matches!(self.f.values[value].def, mil_ir::Def::Output(op, _) if self.cx.folded.contains(&op))
            {
                self.draft.owned = self.draft.owned.saturating_add(tensor.bytes().len());
            }
            self.place[value.index()] = Some(buffer);
            return Ok(buffer);
        }
        if let mil_ir::Def::Output(op, _) = self.f.values[value].def
            && &*self.f.ops[op].name == "const"
        {
            return match self.f.ops[op].attribute("val").map(|c| &c.payload) {
                Some(mil_ir::Payload::Blob(_)) | None => Err(NoDraft::Error(missing(self.f, value))),
                Some(_) => Ok(self.buffer(Kind::Empty, 0)),
            };
        }
        let name = &self.f.values[value].name;
        Err(NoDraft::Error(RunError::internal(format!("value `{name}` is planned before it is made"))))
    }

    pub(super) fn emit(&mut self, instr: Instr) -> usize {
        self.draft.instrs.push(instr);
        self.draft.loop_of.push(self.inside);
        self.draft.instrs.len() - 1
    }

    pub(super) fn block(&mut self, block: BlockId) -> Result<(), NoDraft> {
        let groups = &self.cx.groups[block.index()];
        groups.iter().try_for_each(|group| self.group(group))
    }

    pub(super) fn view(&self, op: OpId) -> Result<OpView<'a>, NoDraft> {
        let view = self.cx.types.view(self.cx.checked, self.cx.function, op);
        view.ok_or_else(|| NoDraft::Error(RunError::internal("an op has no card")))
    }

    pub(super) fn group(&mut self, group: &Group) -> Result<(), NoDraft> {
        let op = &self.f.ops[group.ops[0]];
        match &*op.name {
            "cond" => return self.cond(group.ops[0]),
            "while_loop" => return self.while_loop(group.ops[0]),
            "read_state" => {
                let number = self.state(group.ops[0])?;
                let out = self.fresh(op.outputs[0])?;
                self.draft.buffers[out].kind = Kind::Snapshot(number);
                self.emit(Instr::Read { snapshot: out });
                return Ok(());
            }
            "write_state" | "coreml_update_state" => {
                let number = self.state(group.ops[0])?;
                let view = self.view(group.ops[0])?;
                let name = if view.has("data") { "data" } else { "value" };
                let from = match view.bindings(name).as_slice() {
                    [mil_ops::contract::BoundArg::Value(v)] => self.read(*v)?,
                    [mil_ops::contract::BoundArg::Constant(c)] => match view.program.tensor(c) {
                        Some(tensor) => self.constant(&tensor)?,
                        None => return Err(NoDraft::Dynamic("a state's new value".to_owned())),
                    },
                    _ => return Err(NoDraft::Dynamic("a state's new value".to_owned())),
                };
                let to = self.draft.states[number].0;
                self.emit(Instr::Copy { from, to });
                if let Some(&out) = op.outputs.first() {
                    self.place[out.index()] = Some(from);
                }
                return Ok(());
            }
            _ => {}
        }
        if group.posts.is_empty() {
            return self.single(group.ops[0]);
        }
        let view = self.view(group.ops[0])?;
        let ty = self.ty(self.f.ops[group.last()].outputs[0])?;
        match single::choose(view, vec![ty], &group.posts, self.cx.threads) {
            Choice::Kernel(kernel) => self.fused(group, view, kernel),
            // The card refuses the steps after all: everything they need exists here, so they run one by one.
            Choice::Rule(_) => group.ops.iter().try_for_each(|&op| self.single(op)),
        }
    }

    pub(super) fn single(&mut self, op: OpId) -> Result<(), NoDraft> {
        let view = self.view(op)?;
        let types = self.f.ops[op].outputs.iter().map(|&v| self.ty(v)).collect::<Result<Vec<_>, _>>()?;
        match single::choose(view, types, &[], self.cx.threads) {
            Choice::Kernel(kernel) => {
                let group = Group { ops: vec![op], posts: Vec::<PostOp>::new(), extras: Vec::new() };
                self.fused(&group, view, kernel)
            }
            Choice::Rule(why) => self.rule(op, why),
        }
    }

    pub(super) fn rule(&mut self, op: OpId, why: String) -> Result<(), NoDraft> {
        let mut reads: Vec<ValueId> = Vec::new();
        for operand in single::operands(&self.view(op)?) {
            if let Operand::Value(v) = operand
                && self.cx.types.known[v.index()].is_none()
                && !reads.contains(&v)
            {
                reads.push(v);
            }
        }
        let mut inputs = Vec::with_capacity(reads.len());
        for &v in &reads {
            inputs.push(Some(self.read(v)?));
        }
        let outputs = self.f.ops[op].outputs.clone();
        let output_types = outputs.iter().map(|&v| self.ty(v)).collect::<Result<Vec<_>, _>>()?;
        let outputs = outputs.iter().map(|&v| self.fresh(v)).collect::<Result<Vec<_>, _>>()?;
        let (how, values) = (How::Rule(why), reads.into_iter().map(Some).collect());
        let step = Step { ops: vec![op], how, inputs, values, outputs, output_types, scratch: None };
        self.emit(Instr::Step(Box::new(step)));
        Ok(())
    }

    /// A step of a kernel, or nothing if its result is just another name for an input.
    pub(super) fn fused(
        &mut self,
        group: &Group,
        view: OpView<'a>,
        kernel: CpuKernel,
    ) -> Result<(), NoDraft> {
        let mut slots = single::operands(&view);
        for extra in &group.extras {
            let operands = single::operands(&self.view(extra.op)?);
            let operand = operands.get(extra.slot).copied();
            slots
                .push(operand.ok_or_else(|| RunError::internal("a fused op names a slot it does not have"))?);
        }
        self.draft.prepared = self.draft.prepared.saturating_add(kernel.prepared);
        self.hold(kernel.prepared)?;
        let mut inputs = Vec::with_capacity(slots.len());
        for (slot, operand) in slots.iter().enumerate() {
            if kernel.unread.contains(&slot) {
                inputs.push(None);
                continue;
            }
            inputs.push(Some(match operand {
                Operand::Value(v) => self.read(*v)?,
                Operand::Constant(c) => self.immediate(c)?,
            }));
        }
        let outs = &self.f.ops[group.last()].outputs;
        let output_types = outs.iter().map(|&v| self.ty(v)).collect::<Result<Vec<_>, _>>()?;
        if let (Alias::View(slot), [out], [ty]) = (kernel.alias, outs.as_slice(), output_types.as_slice())
            && let Some(Some(from)) = inputs.get(slot).copied()
            && self.draft.buffers[from].size == single::bytes_of(ty)
        {
            self.place[out.index()] = Some(from);
            return Ok(());
        }
        let outputs = outs.iter().map(|&v| self.fresh(v)).collect::<Result<Vec<_>, _>>()?;
        let scratch = (kernel.scratch > 0).then(|| self.buffer(Kind::Arena, kernel.scratch));
        let (ops, how) = (group.ops.clone(), How::Kernel(kernel));
        let values = slots.iter().map(|slot| match slot {
            Operand::Value(v) => Some(*v),
            Operand::Constant(_) => None,
        });
        let values = values.collect();
        let step = Step { ops, how, inputs, values, outputs, output_types, scratch };
        self.emit(Instr::Step(Box::new(step)));
        Ok(())
    }

    pub(super) fn state(&self, op: OpId) -> Result<usize, NoDraft> {
        let view = self.view(op)?;
        let value = view.value("input").or_else(|| view.value("state"));
        let number = value.and_then(|v| self.state_of.get(&v).copied());
        number.ok_or_else(|| NoDraft::Dynamic("a state that is no parameter of the function".to_owned()))
    }
}

fn missing(f: &Function, value: ValueId) -> RunError {
    let name = &f.values[value].name;
    let message = format!("the weights of `{name}` are not at hand");
    RunError::refused(
        mil_base::Diagnostic::error("run/weights-missing", message)
            .help("open the program together with its weight file"),
    )
}
