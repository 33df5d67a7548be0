//! Planning: from a checked function and concrete input shapes to a flat list of steps with every address fixed.
//!
//! In order: [`compressed`] says which weights stay so, [`fold`](mod@fold) works out the other constants, [`fuse`](mod@fuse)
//! joins ops into steps, [`lower`] chooses kernels and gives values buffers, [`branches`] flattens control flow, [`share`] says which buffers share memory, [`assign`](mod@assign)
//! how long each lives, [`pack`](mod@pack) where it lies, and [`finish`](mod@finish) proves the result. Whoever holds a [`Plan`]
//! runs it without allocating and without looking anything up by name.

mod assign;
mod branches;
mod compressed;
mod draft;
mod finish;
mod fold;
mod fuse;
mod host;
mod lower;
mod pack;
mod share;

pub(crate) use fold::fold;

use crate::arena::{Access, Region};
use crate::error::{MemoryNeed, RunError};
use crate::interpret::Order;
use crate::options::Options;
use assign::assign;
use compressed::Compressed;
use draft::{Drafter, NoDraft};
use finish::finish;
use mil_base::{Name, Tensor};
use mil_check::{Checked, Specialised};
use mil_ir::{Function, FunctionId, OpId, ValueId};
use mil_kernels::Pool;
use mil_ops::contract::{Concrete, CpuKernel};
use std::sync::Arc;

/// A function for one set of input shapes, ready to be run by the cpu runtime.
pub struct Plan {
    pub(crate) checked: Arc<Checked>,
    pub(crate) function: FunctionId,
    /// Types and known values, those worked out here included.
    pub(crate) types: Specialised,
    pub(crate) code: Vec<Code>,
    pub(crate) steps: Vec<PlannedStep>,
    pub(crate) constants: Vec<Tensor>,
    pub(crate) inputs: Vec<Port>,
    /// What is handed out: the function's outputs, and what the host ops read.
    pub(crate) outputs: Vec<Port>,
    pub(crate) states: Vec<Port>,
    /// Ops whose results were worked out while planning.
    pub(crate) folded: Vec<OpId>,
    /// Ops computed after the code, by their definition.
    pub(crate) host: Vec<OpId>,
    memory: PlanMemory,
}

/// Bytes a plan takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PlanMemory {
    /// The buffer of one session: states, values and scratch memory.
    pub arena: usize,
    /// The part of the arena that holds states.
    pub states: usize,
    /// The most bytes of values and scratch memory alive at once: the arena cannot be smaller.
    pub alive: usize,
    /// Constants read while running, expanded ones included, mapped ones too.
    pub constants: usize,
    /// The part of the constants that takes memory of its own: weights expanded beforehand, results of arithmetic on constants,
    /// and copies of those that lie badly. The others are views of the program's files.
    pub owned: usize,
    /// Constants in the form kernels want them.
    pub prepared: usize,
}

/// Where an input, output or state lies.
pub(crate) struct Port {
    pub(crate) value: ValueId,
    pub(crate) name: Name,
    pub(crate) ty: Concrete,
    pub(crate) place: Source,
}

/// Where bytes are read from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    Arena(Region),
    Constant(usize),
    Empty,
}

/// What happens next.
pub(crate) enum Code {
    Step(usize),
    Copy(CopyCode),
    JumpUnless {
        test: Source,
        to: usize,
    },
    Jump {
        to: usize,
    },
    /// Nothing: what stood here turned out not to be needed.
    Nothing,
}

pub(crate) struct CopyCode {
    /// The region read, if it is in the arena, and the region written.
    pub(crate) access: Access,
    pub(crate) from: Source,
    pub(crate) dead: Vec<Region>,
}

/// One slot of a step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Input {
    /// The arena region with this number in the step's access.
    Read(usize),
    /// A constant.
    Constant(usize),
    /// The output lies over it.
    Over,
    /// Not read, or nothing there.
    Empty,
}

/// One or several fused ops with everything their kernel needs.
pub(crate) struct PlannedStep {
    pub(crate) ops: Vec<OpId>,
    pub(crate) how: Compute,
    pub(crate) inputs: Vec<Input>,
    /// Arena regions read, then written: outputs first, scratch memory last.
    pub(crate) access: Access,
    pub(crate) output_types: Vec<Concrete>,
    pub(crate) scratch: bool,
    /// Where each dynamic operand lies before the step runs.
    pub(crate) operands: Vec<(ValueId, Source)>,
    /// Regions whose contents nobody needs afterwards.
    pub(crate) dead: Vec<Region>,
}

pub(crate) enum Compute {
    Kernel(CpuKernel),
    /// By the reference rule, for `inputs` that hold the values of `operands` in order.
    Rule(String),
    /// The outputs have no elements.
    Nothing,
}

/// Why there is no plan.
pub(crate) enum NoPlan {
    /// Something is only known from data; the function can be run op by op.
    Dynamic(String),
    /// It cannot run.
    Error(RunError),
}

/// Plans a function for specialised types.
pub(crate) fn plan(
    checked: &Arc<Checked>,
    function: FunctionId,
    mut types: Specialised,
    options: &Options,
    pool: &Pool,
) -> Result<Plan, NoPlan> {
    let f = &checked.program().functions[function];
    let wanted = Order::new(f, &types.known);
    let mut live = vec![false; f.ops.len()];
    wanted.blocks.iter().flatten().for_each(|op| live[op.index()] = true);
    let limit = options.memory_limit;
    let mut compressed = Compressed::candidates(f, &types, &live, options);
    let mut folded = Vec::new();
    loop {
        let wanted = |op: OpId| live[op.index()] && !compressed.contains(op);
        let more = fold::fold(checked, function, &mut types, &wanted, limit, pool).map_err(NoPlan::Error)?;
        folded.extend(more);
        if !compressed.settle(checked, function, &types, &live, pool.threads()) {
            break;
        }
    }
    let mut order = Order::new(f, &types.known);
    order.blocks.iter_mut().for_each(|ops| ops.retain(|&op| !compressed.contains(op)));
    let (host, handed_out) = host::take_host_ops(checked, function, &types, &mut order);
    draft::all_static(f, &types, &order).map_err(NoPlan::Dynamic)?;
    let mut groups = fuse::fuse(checked, function, &types, &order, &handed_out, options);
    compressed.place(f, &mut groups, &handed_out);
    let drafter = Drafter {
        checked,
        function,
        types: &types,
        groups: &groups,
        host: &host,
        handed_out: &handed_out,
        folded: &folded.iter().copied().collect(),
        threads: pool.threads(),
        limit,
    };
    let draft = drafter.draft().map_err(|e| match e {
        NoDraft::Dynamic(why) => NoPlan::Dynamic(why),
        NoDraft::Error(error) => NoPlan::Error(error),
    })?;
    let layout = assign(&draft).map_err(NoPlan::Error)?;
    let constants_held = owned_constants(f, &types, &folded);
    if let Some(limit) = limit {
        let need = MemoryNeed {
            arena: layout.arena_bytes,
            constants: constants_held,
            prepared: draft.prepared,
            limit,
        };
        if need.total() > limit {
            return Err(NoPlan::Error(RunError::Memory(need)));
        }
    }
    let plan = finish(checked, function, types, folded, draft, layout).map_err(NoPlan::Error)?;
    Ok(Plan { host, ..plan })
}

/// Bytes of constants worked out here.
fn owned_constants(f: &Function, types: &Specialised, folded: &[OpId]) -> usize {
    let values = folded.iter().flat_map(|&op| &f.ops[op].outputs);
    values.filter_map(|v| types.known[v.index()].as_ref()).map(|t| t.bytes().len()).sum()
}

impl Plan {
    /// What it takes.
    pub fn memory(&self) -> PlanMemory {
        self.memory
    }

    /// The ops whose results were worked out while planning.
    pub fn folded(&self) -> &[OpId] {
        &self.folded
    }

    /// The function planned.
    pub fn function(&self) -> FunctionId {
        self.function
    }

    /// The steps, in the order of the code: their ops, and the reason if it is the reference rule that computes them.
    pub fn steps(&self) -> impl ExactSizeIterator<Item = (&[OpId], Option<&str>)> {
        self.steps.iter().map(|s| {
            let why = match &s.how {
                Compute::Rule(why) => Some(why.as_str()),
                _ => None,
            };
            (s.ops.as_slice(), why)
        })
    }
}
