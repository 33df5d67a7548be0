//! From groups of ops to a flat list of instructions on buffers without places yet.
//!
//! Control flow becomes jumps. Loop variables have a buffer each, which the body's results are copied to; values of a
//! loop's body have buffers used anew in every turn.

use super::fuse::Group;
use crate::error::RunError;
use crate::interpret::Order;
use crate::single::{self, Choice, Operand};
use mil_base::{DType, Tensor};
use mil_check::{Checked, Specialised};
use mil_ir::{BlockId, Function, FunctionId, OpId, ValueId};
use mil_ops::OpView;
use mil_ops::contract::{Alias, Concrete, CpuKernel, PostOp};
use std::collections::HashMap;

/// A buffer by number.
pub(crate) type BufId = usize;
/// A loop by number.
pub(crate) type LoopId = usize;

/// What a buffer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Memory of the arena.
    Arena,
    /// A constant, by number.
    Constant(usize),
    /// The memory of a state, by number.
    State(usize),
    /// What a state held when it was read: its memory, unless it is written while this is alive.
    Snapshot(usize),
    /// Nothing is there and nothing looks (strings, lists).
    Empty,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Buffer {
    pub(crate) kind: Kind,
    pub(crate) size: usize,
    /// The innermost loop it belongs to.
    pub(crate) home: Option<LoopId>,
}

/// Instructions `start..=end` run again and again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loop {
    pub(crate) parent: Option<LoopId>,
    pub(crate) end: usize,
}

pub(crate) enum Instr {
    Step(Box<Step>),
    Copy {
        from: BufId,
        to: BufId,
    },
    /// Takes what a state holds now.
    Read {
        snapshot: BufId,
    },
    /// Goes to `to` if the bool is false.
    JumpUnless {
        test: BufId,
        to: usize,
    },
    Jump {
        to: usize,
    },
}

/// A group of ops with the way it is computed.
pub(crate) struct Step {
    pub(crate) ops: Vec<OpId>,
    pub(crate) how: How,
    /// By slot; `None` for what is not read.
    pub(crate) inputs: Vec<Option<BufId>>,
    /// By slot; `None` for immediate values.
    pub(crate) values: Vec<Option<ValueId>>,
    pub(crate) outputs: Vec<BufId>,
    pub(crate) output_types: Vec<Concrete>,
    pub(crate) scratch: Option<BufId>,
}

pub(crate) enum How {
    Kernel(CpuKernel),
    /// By the reference rule, with the reason; `inputs` are then the `values` not known beforehand.
    Rule(String),
}

/// The result: instructions and their buffers.
pub(crate) struct Draft {
    pub(crate) instrs: Vec<Instr>,
    pub(crate) buffers: Vec<Buffer>,
    pub(crate) loops: Vec<Loop>,
    /// The loop each instruction stands in.
    pub(crate) loop_of: Vec<Option<LoopId>>,
    pub(crate) constants: Vec<Tensor>,
    pub(crate) inputs: Vec<(ValueId, BufId)>,
    pub(crate) outputs: Vec<(ValueId, BufId, Concrete)>,
    /// Buffer and type by state.
    pub(crate) states: Vec<(BufId, Concrete)>,
    /// Bytes that kernels keep.
    pub(crate) prepared: usize,
}

/// Why there is no draft.
pub(crate) enum NoDraft {
    /// A size is known only from data, or there are lists: the function is run op by op.
    Dynamic(String),
    /// It cannot run at all.
    Error(RunError),
}

impl From<RunError> for NoDraft {
    fn from(error: RunError) -> NoDraft {
        NoDraft::Error(error)
    }
}

/// What is planned, and how.
pub(crate) struct Drafter<'a> {
    pub(crate) checked: &'a Checked,
    pub(crate) function: FunctionId,
    pub(crate) types: &'a Specialised,
    pub(crate) groups: &'a [Vec<Group>],
    pub(crate) threads: usize,
    pub(crate) limit: Option<usize>,
}

/// Every value that will be computed has a type of known size, or the first that has not.
pub(crate) fn all_static(function: &Function, types: &Specialised, order: &Order) -> Result<(), String> {
    let check = |v: ValueId| {
        if types.known[v.index()].is_some() {
            return Ok(());
        }
        let ty = types.types[v.index()].as_ref().unwrap_or(&function.values[v].ty);
        match (ty, single::concrete(ty)) {
            (mil_base::Type::State(_), _) | (_, Some(_)) => Ok(()),
            _ => Err(format!("`{}` is {ty}", function.values[v].name)),
        }
    };
    for (block, ops) in order.blocks.iter().enumerate() {
        let block = BlockId::from_index(block);
        if block == function.body || !ops.is_empty() {
            function.blocks[block].params.iter().try_for_each(|&v| check(v))?;
        }
        for &op in ops {
            function.ops[op].outputs.iter().try_for_each(|&v| check(v))?;
            for binding in function.ops[op].args.iter().flat_map(|(_, a)| &a.0) {
                if let mil_ir::Binding::Value(v) = binding {
                    let is_const_list = matches!(function.values[*v].def, mil_ir::Def::Output(o, _) if &*function.ops[o].name == "const");
                    if !is_const_list {
                        check(*v)?;
                    }
                }
            }
        }
    }
    Ok(())
}

impl Drafter<'_> {
    /// Lowers the whole function.
    pub(crate) fn draft(&self) -> Result<Draft, NoDraft> {
        let f = &self.checked.program().functions[self.function];
        let mut lower = Lower {
            cx: self,
            f,
            draft: Draft {
                instrs: Vec::new(),
                buffers: Vec::new(),
                loops: Vec::new(),
                loop_of: Vec::new(),
                constants: Vec::new(),
                inputs: Vec::new(),
                outputs: Vec::new(),
                states: Vec::new(),
                prepared: 0,
            },
            place: vec![None; f.values.len()],
            state_of: HashMap::new(),
            inside: None,
            held: 0,
        };
        for (number, (value, name, ty)) in crate::ports::states(f).enumerate() {
            let ty = single::concrete(&mil_base::Type::Tensor(ty.clone()))
                .ok_or_else(|| NoDraft::Dynamic(format!("state `{name}` is {ty}")))?;
            let buffer = lower.buffer(Kind::State(number), single::bytes_of(&ty));
            lower.draft.states.push((buffer, ty));
            lower.state_of.insert(value, number);
        }
        for (value, _, _) in crate::ports::inputs(f) {
            let buffer = lower.fresh(value)?;
            lower.draft.inputs.push((value, buffer));
        }
        lower.block(f.body)?;
        for &value in f.outputs() {
            let buffer = lower.read(value)?;
            let ty = match &self.types.known[value.index()] {
                Some(t) => Concrete { dtype: t.dtype(), shape: t.shape().to_vec() },
                None => lower.ty(value)?,
            };
            lower.draft.outputs.push((value, buffer, ty));
        }
        Ok(lower.draft)
    }
}

struct Lower<'a> {
    cx: &'a Drafter<'a>,
    f: &'a Function,
    draft: Draft,
    place: Vec<Option<BufId>>,
    state_of: HashMap<ValueId, usize>,
    /// The loop being lowered.
    inside: Option<LoopId>,
    /// Bytes of constants and prepared constants so far.
    held: usize,
}

impl<'a> Lower<'a> {
    fn ty(&self, value: ValueId) -> Result<Concrete, NoDraft> {
        let ty = self.cx.types.types[value.index()].as_ref();
        ty.and_then(single::concrete).ok_or_else(|| NoDraft::Dynamic(self.f.values[value].name.to_string()))
    }

    fn buffer(&mut self, kind: Kind, size: usize) -> BufId {
        self.draft.buffers.push(Buffer { kind, size, home: self.inside });
        self.draft.buffers.len() - 1
    }

    /// A new buffer for a value.
    fn fresh(&mut self, value: ValueId) -> Result<BufId, NoDraft> {
        let size = single::bytes_of(&self.ty(value)?);
        let buffer = self.buffer(Kind::Arena, size);
        self.place[value.index()] = Some(buffer);
        Ok(buffer)
    }

    fn constant(&mut self, tensor: &Tensor) -> Result<BufId, NoDraft> {
        if tensor.dtype() == DType::String {
            return Ok(self.buffer(Kind::Empty, 0));
        }
        let before = tensor.bytes().as_ptr();
        let tensor = single::aligned(tensor.clone())
            .ok_or_else(|| RunError::internal("memory ran out for a constant"))?;
        let size = tensor.bytes().len();
        if before != tensor.bytes().as_ptr() {
            self.hold(size)?;
        }
        self.draft.constants.push(tensor);
        let number = self.draft.constants.len() - 1;
        Ok(self.buffer(Kind::Constant(number), size))
    }

    /// Counts memory taken while planning, and stops when it is too much.
    fn hold(&mut self, bytes: usize) -> Result<(), NoDraft> {
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
    fn read(&mut self, value: ValueId) -> Result<BufId, NoDraft> {
        if let Some(buffer) = self.place[value.index()] {
            return Ok(buffer);
        }
        if let Some(tensor) = &self.cx.types.known[value.index()] {
            let buffer = self.constant(tensor)?;
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

    fn emit(&mut self, instr: Instr) -> usize {
        self.draft.instrs.push(instr);
        self.draft.loop_of.push(self.inside);
        self.draft.instrs.len() - 1
    }

    fn block(&mut self, block: BlockId) -> Result<(), NoDraft> {
        let groups = &self.cx.groups[block.index()];
        groups.iter().try_for_each(|group| self.group(group))
    }

    fn view(&self, op: OpId) -> Result<OpView<'a>, NoDraft> {
        let view = self.cx.types.view(self.cx.checked, self.cx.function, op);
        view.ok_or_else(|| NoDraft::Error(RunError::internal("an op has no card")))
    }

    fn group(&mut self, group: &Group) -> Result<(), NoDraft> {
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

    fn single(&mut self, op: OpId) -> Result<(), NoDraft> {
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

    fn rule(&mut self, op: OpId, why: String) -> Result<(), NoDraft> {
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
    fn fused(&mut self, group: &Group, view: OpView<'a>, kernel: CpuKernel) -> Result<(), NoDraft> {
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
                Operand::Constant(c) => match view.program.tensor(c) {
                    Some(tensor) => self.constant(&tensor)?,
                    None => self.buffer(Kind::Empty, 0),
                },
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

    fn state(&self, op: OpId) -> Result<usize, NoDraft> {
        let view = self.view(op)?;
        let value = view.value("input").or_else(|| view.value("state"));
        let number = value.and_then(|v| self.state_of.get(&v).copied());
        number.ok_or_else(|| NoDraft::Dynamic("a state that is no parameter of the function".to_owned()))
    }

    fn bool_of(&mut self, value: ValueId) -> Result<BufId, NoDraft> {
        let buffer = self.read(value)?;
        match self.draft.buffers[buffer].size {
            1 => Ok(buffer),
            _ => Err(NoDraft::Error(RunError::internal("a condition is no bool"))),
        }
    }

    /// New buffers for the results of branches or loops, outside of them.
    fn joined(&mut self, outputs: &[ValueId]) -> Result<Vec<BufId>, NoDraft> {
        outputs.iter().map(|&v| self.fresh(v)).collect()
    }

    /// The results of a block, if each has the size of the buffer it goes to.
    fn results(&mut self, block: BlockId, to: &[BufId]) -> Result<Vec<BufId>, NoDraft> {
        let results = &self.f.blocks[block].results;
        let buffers = results.iter().map(|&v| self.read(v)).collect::<Result<Vec<_>, _>>()?;
        let size = |b: &BufId| self.draft.buffers[*b].size;
        match buffers.len() == to.len() && buffers.iter().zip(to).all(|(a, b)| size(a) == size(b)) {
            true => Ok(buffers),
            false => Err(NoDraft::Dynamic("the sizes of a block's results differ".to_owned())),
        }
    }

    fn cond(&mut self, op: OpId) -> Result<(), NoDraft> {
        let (outputs, blocks) = (&self.f.ops[op].outputs, &self.f.ops[op].blocks);
        let (&[yes, no], Some(pred)) = (blocks.as_slice(), self.view(op)?.bindings("pred").first().copied())
        else {
            return Err(RunError::internal("a cond without two blocks").into());
        };
        let test = match pred {
            mil_ops::contract::BoundArg::Value(v) => self.bool_of(v)?,
            mil_ops::contract::BoundArg::Constant(c) => match self.cx.checked.program().tensor(c) {
                Some(tensor) => self.constant(&tensor)?,
                None => return Err(NoDraft::Dynamic("pred".to_owned())),
            },
        };
        let to = self.joined(outputs)?;
        let branch = self.emit(Instr::JumpUnless { test, to: 0 });
        self.branch(yes, &to)?;
        let skip = self.emit(Instr::Jump { to: 0 });
        self.set_target(branch);
        self.branch(no, &to)?;
        self.set_target(skip);
        Ok(())
    }

    fn branch(&mut self, block: BlockId, to: &[BufId]) -> Result<(), NoDraft> {
        self.block(block)?;
        let from = self.results(block, to)?;
        for (&from, &to) in from.iter().zip(to) {
            self.emit(Instr::Copy { from, to });
        }
        Ok(())
    }

    /// The jump at `at` goes to the next instruction.
    fn set_target(&mut self, at: usize) {
        let next = self.draft.instrs.len();
        if let Instr::JumpUnless { to, .. } | Instr::Jump { to } = &mut self.draft.instrs[at] {
            *to = next;
        }
    }

    fn while_loop(&mut self, op: OpId) -> Result<(), NoDraft> {
        let f = self.f;
        let &[test_block, body] = f.ops[op].blocks.as_slice() else {
            return Err(RunError::internal("a while_loop without two blocks").into());
        };
        let vars = self.joined(&f.ops[op].outputs)?;
        let bindings = self.view(op)?.bindings("loop_vars");
        let mut start = Vec::with_capacity(bindings.len());
        for binding in bindings {
            start.push(match binding {
                mil_ops::contract::BoundArg::Value(v) => self.read(v)?,
                mil_ops::contract::BoundArg::Constant(c) => match self.cx.checked.program().tensor(c) {
                    Some(tensor) => self.constant(&tensor)?,
                    None => return Err(NoDraft::Dynamic("loop_vars".to_owned())),
                },
            });
        }
        let params = [test_block, body].map(|b| f.blocks[b].params.clone());
        let size = |b: &BufId| self.draft.buffers[*b].size;
        let fit = params.iter().all(|p| p.len() == vars.len())
            && start.len() == vars.len()
            && start.iter().zip(&vars).all(|(a, b)| size(a) == size(b));
        if !fit {
            return Err(NoDraft::Dynamic("the sizes of loop variables change".to_owned()));
        }
        for (&from, &to) in start.iter().zip(&vars) {
            self.emit(Instr::Copy { from, to });
        }
        let id = self.draft.loops.len();
        self.draft.loops.push(Loop { parent: self.inside, end: 0 });
        let outer = self.inside.replace(id);
        for params in &params {
            for (&param, &var) in params.iter().zip(&vars) {
                if single::bytes_of(&self.ty(param)?) != self.draft.buffers[var].size {
                    return Err(NoDraft::Dynamic("the sizes of loop variables change".to_owned()));
                }
                self.place[param.index()] = Some(var);
            }
        }
        let again = self.draft.instrs.len();
        self.block(test_block)?;
        let &[test] = f.blocks[test_block].results.as_slice() else {
            return Err(RunError::internal("a condition block without one result").into());
        };
        let test = self.bool_of(test)?;
        let exit = self.emit(Instr::JumpUnless { test, to: 0 });
        self.block(body)?;
        self.advance(body, &vars)?;
        let end = self.emit(Instr::Jump { to: again });
        self.draft.loops[id].end = end;
        self.inside = outer;
        self.set_target(exit);
        Ok(())
    }

    /// Copies the body's results to the variables as if all at once: a result that is a variable itself is saved first.
    fn advance(&mut self, body: BlockId, vars: &[BufId]) -> Result<(), NoDraft> {
        let mut from = self.results(body, vars)?;
        for (i, source) in from.iter_mut().enumerate() {
            if *source != vars[i] && vars.contains(source) {
                let saved = self.buffer(Kind::Arena, self.draft.buffers[*source].size);
                self.emit(Instr::Copy { from: *source, to: saved });
                *source = saved;
            }
        }
        for (&from, &to) in from.iter().zip(vars) {
            if from != to {
                self.emit(Instr::Copy { from, to });
            }
        }
        Ok(())
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
