//! What stands between groups of ops and a plan: a flat list of instructions on buffers without places yet.

use super::fuse::Group;
use super::lower::Lower;
use crate::error::RunError;
use crate::interpret::Order;
use crate::single;
use mil_base::Tensor;
use mil_check::{Checked, Specialised};
use mil_ir::{BlockId, Function, FunctionId, OpId, ValueId};
use mil_ops::contract::{Concrete, CpuKernel};
use std::collections::{HashMap, HashSet};

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
    /// Bytes of constants that are no views of files.
    pub(crate) owned: usize,
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
    /// Ops that run after the plan.
    pub(crate) host: &'a [mil_ir::OpId],
    /// Values that are handed out besides the function's outputs.
    pub(crate) handed_out: &'a [ValueId],
    /// Ops whose results were worked out.
    pub(crate) folded: &'a HashSet<OpId>,
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
                owned: 0,
                prepared: 0,
            },
            place: vec![None; f.values.len()],
            state_of: HashMap::new(),
            immediates: HashMap::new(),
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
        // Outputs without bytes, and those of host ops, are made after the plan has run.
        let planned = |v: &ValueId| {
            let ty = self.types.types[v.index()].as_ref();
            let by_host = matches!(f.values[*v].def, mil_ir::Def::Output(op, _) if self.host.contains(&op));
            self.types.known[v.index()].is_some() || (ty.and_then(single::concrete).is_some() && !by_host)
        };
        for &value in f.outputs().iter().filter(|v| planned(v)).chain(self.handed_out) {
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
