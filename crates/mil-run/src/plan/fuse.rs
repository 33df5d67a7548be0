//! Element-wise ops applied by the kernel that makes their input, so that the value between never goes to memory.

use crate::interpret::Order;
use crate::options::Options;
use crate::single::{self, Operand};
use mil_base::{Tensor, Type};
use mil_check::{Checked, Specialised};
use mil_ir::{Binding, Def, FunctionId, OpId, ValueId};
use mil_ops::OpView;
use mil_ops::contract::{Cpu, CpuCx, PostOp};
use std::collections::HashMap;

/// Ops run as one step: the first makes a tensor, each of the others changes it element by element.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// The producer, then what is fused into it, in order.
    pub(crate) ops: Vec<OpId>,
    /// What is fused, for the producer's kernel. Slots beyond the producer's own inputs are [`Group::extras`].
    pub(crate) posts: Vec<PostOp>,
    /// Further inputs.
    pub(crate) extras: Vec<Extra>,
}

/// An input of a fused op, by the op and its slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extra {
    pub(crate) op: OpId,
    pub(crate) slot: usize,
}

impl Group {
    /// An op by itself.
    pub(crate) fn of(op: OpId) -> Group {
        Group { ops: vec![op], posts: Vec::new(), extras: Vec::new() }
    }

    /// The op whose outputs are the step's.
    pub(crate) fn last(&self) -> OpId {
        *self.ops.last().unwrap_or(&self.ops[0])
    }
}

/// The steps of every block, in order, by block index.
///
/// A consumer is fused when it is the only user of the value, stands in the same block, keeps dtype and shape, and both
/// cards agree. The step runs where its last op stood, when all further inputs exist.
pub(crate) fn fuse(
    checked: &Checked,
    function: FunctionId,
    types: &Specialised,
    order: &Order,
    handed_out: &[ValueId],
    options: &Options,
) -> Vec<Vec<Group>> {
    let mut uses = count_uses(checked, function, order, &types.known);
    handed_out.iter().for_each(|v| uses[v.index()] += 2);
    let cx = Fuser { checked, function, types, uses, threads: options.threads.max(1) };
    let one = |ops: &Vec<OpId>| match options.fusion {
        true => cx.block(ops),
        false => ops.iter().map(|&op| Group::of(op)).collect(),
    };
    order.blocks.iter().map(one).collect()
}

struct Fuser<'a> {
    checked: &'a Checked,
    function: FunctionId,
    types: &'a Specialised,
    uses: Vec<usize>,
    threads: usize,
}

impl Fuser<'_> {
    fn block(&self, ops: &[OpId]) -> Vec<Group> {
        let mut groups: Vec<Option<Group>> = Vec::with_capacity(ops.len());
        // The group that ends in a value, if it may take more.
        let mut open: HashMap<ValueId, usize> = HashMap::new();
        for &op in ops {
            let group = self.join(op, &open, &mut groups).unwrap_or_else(|| Group::of(op));
            if let Some(value) = self.open_end(&group) {
                open.insert(value, groups.len());
            }
            groups.push(Some(group));
        }
        groups.into_iter().flatten().collect()
    }

    /// The value at the end of a group that may be extended: only one user, made by a kernel that takes steps.
    fn open_end(&self, group: &Group) -> Option<ValueId> {
        let head = self.view(group.ops[0])?;
        let Cpu::Kernel(rule) = head.def.cpu else { return None };
        let outputs = &self.view(group.last())?.op().outputs;
        match outputs.as_slice() {
            [only] if rule.takes_post && self.uses[only.index()] == 1 => Some(*only),
            _ => None,
        }
    }

    /// Takes the group that `op` extends out of `groups`, the latest if there are several, and gives it extended.
    fn join(&self, op: OpId, open: &HashMap<ValueId, usize>, groups: &mut [Option<Group>]) -> Option<Group> {
        let view = self.view(op)?;
        let Cpu::Kernel(rule) = view.def.cpu else { return None };
        let as_post = rule.as_post?;
        let ty = |v: ValueId| self.types.types.get(v.index())?.as_ref();
        let &[out] = view.op().outputs.as_slice() else { return None };
        let out_ty = ty(out)?;
        let outputs = vec![single::concrete(out_ty)?];
        let cx = CpuCx { view, outputs, post: &[], threads: self.threads };
        let inputs = single::operands(&view);
        let mut found: Option<(usize, usize, PostOp)> = None;
        for (slot, operand) in inputs.iter().enumerate() {
            let Operand::Value(v) = *operand else { continue };
            let Some(&at) = open.get(&v).filter(|&&at| groups[at].is_some()) else { continue };
            if found.is_some_and(|(best, _, _)| best >= at) || ty(v) != Some(out_ty) {
                continue;
            }
            if let Some(post) = as_post(&cx, slot) {
                found = Some((at, slot, post));
            }
        }
        let (at, slot, post) = found?;
        let own = single::operands(&self.view(groups[at].as_ref()?.ops[0])?).len();
        let extra = match post {
            PostOp::Add { slot: other } | PostOp::Mul { slot: other } => Some(other),
            _ => None,
        };
        if let Some(other) = extra
            && (other == slot || !self.fits(inputs.get(other), out_ty))
        {
            return None;
        }
        let mut group = groups[at].take()?;
        let next = own + group.extras.len();
        group.posts.push(match post {
            PostOp::Add { .. } => PostOp::Add { slot: next },
            PostOp::Mul { .. } => PostOp::Mul { slot: next },
            other => other,
        });
        group.extras.extend(extra.map(|slot| Extra { op, slot }));
        group.ops.push(op);
        Some(group)
    }

    /// Has the operand exactly this type?
    fn fits(&self, operand: Option<&Operand<'_>>, ty: &Type) -> bool {
        match operand {
            Some(Operand::Value(v)) => self.types.types[v.index()].as_ref() == Some(ty),
            Some(Operand::Constant(c)) => {
                self.checked.program().tensor(c).map(|t| Type::Tensor(t.ty())).as_ref() == Some(ty)
            }
            None => false,
        }
    }

    fn view(&self, op: OpId) -> Option<OpView<'_>> {
        self.types.view(self.checked, self.function, op)
    }
}

/// How often the ops that run, and the blocks that are reached, use each value. Blocks' results count.
fn count_uses(
    checked: &Checked,
    function: FunctionId,
    order: &Order,
    known: &[Option<Tensor>],
) -> Vec<usize> {
    let f = &checked.program().functions[function];
    let mut uses = vec![0; f.values.len()];
    let mut blocks = vec![f.body];
    while let Some(block) = blocks.pop() {
        f.blocks[block].results.iter().for_each(|v| uses[v.index()] += 1);
        for &op in &order.blocks[block.index()] {
            blocks.extend(&f.ops[op].blocks);
            for binding in f.ops[op].args.iter().flat_map(|(_, a)| &a.0) {
                if let Binding::Value(v) = binding {
                    // A use in another block keeps the value from being fused away.
                    let local = match f.values[*v].def {
                        Def::Output(def, _) => f.ops[def].block == f.ops[op].block,
                        Def::Param(..) => false,
                    };
                    uses[v.index()] += if local || known[v.index()].is_some() { 1 } else { 2 };
                }
            }
        }
    }
    uses
}
