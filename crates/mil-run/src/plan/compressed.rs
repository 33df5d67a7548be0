//! Compressed weights that stay so: which `constexpr_*` ops run in every run, and before which steps.

use super::fuse::Group;
use crate::options::{HeldWeights, Options};
use crate::single::{self, Choice, Operand};
use mil_check::{Checked, Specialised};
use mil_ir::{Def, Function, FunctionId, OpId, ValueId};
use mil_ops::OpView;
use std::collections::HashMap;

/// Readers with at most so many steps between them share one expansion; for others the weight is expanded again, so that
/// its memory is free between them.
const NEAR: usize = 16;

/// The ops that expand weights in every run, by op index.
pub(crate) struct Compressed(Vec<bool>);

impl Compressed {
    /// The ops of those that run (`live`) whose results are worth holding compressed. Nothing else may be concluded from
    /// their results until [`Compressed::settle`] has said which stay.
    pub(crate) fn candidates(
        f: &Function,
        types: &Specialised,
        live: &[bool],
        options: &Options,
    ) -> Compressed {
        let size = |v: &ValueId| types.types[v.index()].as_ref().and_then(single::concrete);
        let worth = |op: OpId| {
            let outputs = &f.ops[op].outputs;
            let sizes = outputs.iter().map(|v| size(v).map(|c| single::bytes_of(&c)));
            let bytes = sizes.sum::<Option<usize>>();
            is_expansion(f, op) && live[op.index()] && bytes.is_some_and(|bytes| bytes > options.expand_up_to)
        };
        let chosen = f.ops.ids().map(|op| options.weights == HeldWeights::Compressed && worth(op));
        Compressed(chosen.collect())
    }

    /// Does this op run in every run?
    pub(crate) fn contains(&self, op: OpId) -> bool {
        self.0[op.index()]
    }

    /// The op that expands this value in every run.
    fn maker(&self, f: &Function, value: ValueId) -> Option<OpId> {
        match f.values[value].def {
            Def::Output(op, _) if self.contains(op) => Some(op),
            _ => None,
        }
    }

    /// Lets go of those that must be known beforehand (their reader has no kernel otherwise, or can be worked out beforehand
    /// itself), and of those of which a part is read. `types.known` holds every other constant. True if there were any.
    pub(crate) fn settle(
        &mut self,
        checked: &Checked,
        function: FunctionId,
        types: &Specialised,
        live: &[bool],
        threads: usize,
    ) -> bool {
        let f = &checked.program().functions[function];
        let needs_known = |op: &OpId| {
            let view = types.view(checked, function, *op);
            view.is_some_and(|view| !self.leaves_compressed(f, &view, threads))
        };
        let mut open: Vec<OpId> = f.ops.ids().filter(|op| live[op.index()]).filter(needs_known).collect();
        let found = !open.is_empty();
        // Whoever is expanded beforehand needs its own inputs beforehand.
        while let Some(op) = open.pop() {
            self.0[op.index()] = false;
            for v in values_of(f, op) {
                open.extend(self.maker(f, v));
            }
        }
        found
    }

    /// Can the op run when those of its inputs that are chosen here are not known beforehand?
    fn leaves_compressed(&self, f: &Function, view: &OpView<'_>, threads: usize) -> bool {
        let op = view.op();
        let operands = single::operands(view);
        let reads = operands.iter().any(|o| matches!(o, Operand::Value(v) if self.maker(f, *v).is_some()));
        let own = op.outputs.first().is_some_and(|&v| self.maker(f, v).is_some());
        if !(reads || own) || !op.blocks.is_empty() || !single::is_pure(view) {
            return true;
        }
        let known = |o: &Operand<'_>| match o {
            Operand::Value(v) => view.known[v.index()].is_some() || self.maker(f, *v).is_some(),
            Operand::Constant(_) => true,
        };
        if !own && (operands.iter().all(known) || self.reads_a_part(f, view, &operands)) {
            return false;
        }
        let outputs = op.outputs.iter().map(|v| single::concrete(view.types[v.index()].as_ref()?));
        let Some(outputs) = outputs.collect::<Option<Vec<_>>>() else { return false };
        matches!(single::choose(*view, outputs, &[], threads), Choice::Kernel(_))
    }

    /// Does the op read a part of a weight only, as `gather` reads rows of an embedding: with a result much smaller than the
    /// weight, and fewer operations than that has elements? Such a table is the largest weight as a rule, so that expanding
    /// it in every run would take a place as large in the arena, and time for rows that nobody reads.
    fn reads_a_part(&self, f: &Function, view: &OpView<'_>, operands: &[Operand<'_>]) -> bool {
        let count = |v: ValueId| {
            let ty = view.types[v.index()].as_ref().and_then(single::concrete);
            ty.map_or(0, |ty| ty.count())
        };
        let weights = operands.iter().filter_map(|o| match o {
            Operand::Value(v) if self.maker(f, *v).is_some() => Some(count(*v)),
            _ => None,
        });
        let weight = weights.max().unwrap_or(0);
        let made = view.op().outputs.iter().fold(0usize, |n, &v| n.saturating_add(count(v)));
        made < weight / 8 && (view.def.cost)(view).is_some_and(|cost| cost < weight as u64)
    }

    /// Puts expansions right before the steps that read their results. `handed_out` are values needed after the last step
    /// besides the function's outputs.
    ///
    /// What a loop reads is expanded before the loop, and what a branch reads in the branch.
    pub(crate) fn place(&self, f: &Function, groups: &mut [Vec<Group>], handed_out: &[ValueId]) {
        if !self.0.contains(&true) {
            return;
        }
        let mut open = vec![f.body];
        while let Some(block) = open.pop() {
            let old = std::mem::take(&mut groups[block.index()]);
            let mut list = Expanding {
                set: self,
                f,
                groups: Vec::with_capacity(old.len()),
                last: HashMap::new(),
                steps: 0,
            };
            for group in old {
                list.need(&self.needs(f, &group));
                let nested = group.ops.iter().flat_map(|&op| &f.ops[op].blocks).next().is_some();
                if nested && !is_loop(f, group.ops[0]) {
                    open.extend(&f.ops[group.ops[0]].blocks);
                }
                list.steps += 1;
                list.groups.push(group);
                if nested {
                    // Branches expand for themselves, maybe into other memory.
                    list.last.clear();
                }
            }
            let after = if block == f.body { handed_out } else { &[] };
            let results: Vec<ValueId> = f.blocks[block].results.iter().chain(after).copied().collect();
            list.need(&results);
            groups[block.index()] = list.groups;
        }
    }

    /// The values that must be there when the group begins.
    fn needs(&self, f: &Function, group: &Group) -> Vec<ValueId> {
        let mut found: Vec<ValueId> = Vec::new();
        let mut open: Vec<OpId> = group.ops.clone();
        while let Some(op) = open.pop() {
            found.extend(values_of(f, op));
            if is_loop(f, group.ops[0]) {
                for &block in &f.ops[op].blocks {
                    open.extend(&f.blocks[block].ops);
                    found.extend(&f.blocks[block].results);
                }
            }
        }
        // Expansions written in a loop's body are not users of each other: whoever needs them places the chain.
        found.retain(|&v| self.maker(f, v).is_some());
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// The steps of a block with expansions among them.
struct Expanding<'a> {
    set: &'a Compressed,
    f: &'a Function,
    groups: Vec<Group>,
    /// Where a result was made or read last, in steps.
    last: HashMap<OpId, usize>,
    /// Steps so far, expansions not counted.
    steps: usize,
}

impl Expanding<'_> {
    /// Makes these values, and what they are made from, unless they were a short while ago.
    fn need(&mut self, values: &[ValueId]) {
        let makers = values.iter().filter_map(|&v| self.set.maker(self.f, v));
        let mut stack: Vec<(OpId, bool)> = makers.map(|op| (op, false)).collect();
        stack.reverse();
        while let Some((op, ready)) = stack.pop() {
            let near = self.last.get(&op).is_some_and(|&at| self.steps - at <= NEAR);
            if near {
                self.last.insert(op, self.steps);
            } else if ready {
                self.groups.push(Group::of(op));
                self.last.insert(op, self.steps);
            } else {
                stack.push((op, true));
                let inputs = values_of(self.f, op).filter_map(|v| self.set.maker(self.f, v));
                stack.extend(inputs.map(|op| (op, false)));
            }
        }
    }
}

fn is_expansion(f: &Function, op: OpId) -> bool {
    f.ops[op].name.starts_with("constexpr_")
}

fn is_loop(f: &Function, op: OpId) -> bool {
    &*f.ops[op].name == "while_loop"
}

/// The values an op reads.
fn values_of(f: &Function, op: OpId) -> impl Iterator<Item = ValueId> + '_ {
    f.ops[op].args.iter().flat_map(|(_, arg)| &arg.0).filter_map(|binding| match binding {
        mil_ir::Binding::Value(v) => Some(*v),
        mil_ir::Binding::Constant(_) => None,
    })
}
