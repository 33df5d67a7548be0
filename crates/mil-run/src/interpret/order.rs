//! Which ops must run, in what order, and where values die.

use mil_base::Tensor;
use mil_ir::{Binding, BlockId, Def, Function, OpId, ValueId, ops_in_order};

/// The ops to run by block, and the values that die at each op.
#[derive(Debug)]
pub(crate) struct Order {
    /// By block index. Without dead ops and without ops whose results are known; a `constexpr_*` op stands right before
    /// its first user, so that a large expansion lives no longer than it must.
    pub(crate) blocks: Vec<Vec<OpId>>,
    /// By op index: values of the op's own block whose last use it is (uses in nested blocks count as uses by the op that owns them).
    pub(crate) dies: Vec<Vec<ValueId>>,
}

/// Does this op write a state?
fn changes_state(op: &str) -> bool {
    matches!(op, "write_state" | "coreml_update_state")
}

impl Order {
    /// The order for a function of which some values are known beforehand.
    pub(crate) fn new(function: &Function, known: &[Option<Tensor>]) -> Order {
        let is_known = |v: ValueId| known.get(v.index()).is_some_and(Option::is_some);
        let live = live_ops(function, &is_known);
        let mut blocks = vec![Vec::new(); function.blocks.len()];
        let mut placed = vec![false; function.ops.len()];
        for block in function.blocks.ids() {
            let (ops, order) = (&function.blocks[block].ops, &mut blocks[block.index()]);
            for &op in ops.iter().filter(|o| live[o.index()] && !is_lazy(function, **o)) {
                place(function, block, op, &live, &mut placed, order);
            }
            // What only the block's results need.
            for &op in ops.iter().filter(|o| live[o.index()]) {
                place(function, block, op, &live, &mut placed, order);
            }
        }
        let dies = deaths(function, &blocks);
        Order { blocks, dies }
    }
}

fn is_lazy(function: &Function, op: OpId) -> bool {
    function.ops[op].name.starts_with("constexpr_")
}

/// Places the lazy ops of `block` that `op` (or an op nested in it) needs, then `op`. Chains are followed with a stack.
fn place(
    function: &Function,
    block: BlockId,
    op: OpId,
    live: &[bool],
    placed: &mut [bool],
    order: &mut Vec<OpId>,
) {
    let mut stack = vec![(op, false)];
    while let Some((op, ready)) = stack.pop() {
        if placed[op.index()] {
            continue;
        }
        if ready {
            placed[op.index()] = true;
            order.push(op);
            continue;
        }
        stack.push((op, true));
        each_use(function, op, |v| {
            if let Def::Output(def, _) = function.values[v].def
                && function.ops[def].block == block
                && live[def.index()]
                && is_lazy(function, def)
            {
                stack.push((def, false));
            }
        });
    }
}

/// Calls `visit` with every value an op uses, nested blocks and their results included.
fn each_use(function: &Function, op: OpId, mut visit: impl FnMut(ValueId)) {
    let mut ops = vec![op];
    while let Some(op) = ops.pop() {
        let op = &function.ops[op];
        for binding in op.args.iter().flat_map(|(_, a)| &a.0) {
            if let Binding::Value(v) = binding {
                visit(*v);
            }
        }
        for &block in &op.blocks {
            ops.extend(&function.blocks[block].ops);
            function.blocks[block].results.iter().for_each(|&v| visit(v));
        }
    }
}

/// Ops whose results are needed or that write a state, and the ops around them.
fn live_ops(function: &Function, is_known: &dyn Fn(ValueId) -> bool) -> Vec<bool> {
    let mut live = vec![false; function.ops.len()];
    let mut values: Vec<ValueId> = function.outputs().to_vec();
    let mut ops: Vec<OpId> =
        ops_in_order(function).into_iter().filter(|&o| changes_state(&function.ops[o].name)).collect();
    loop {
        while let Some(value) = values.pop() {
            if is_known(value) {
                continue;
            }
            match function.values[value].def {
                Def::Output(op, _) => ops.push(op),
                Def::Param(block, _) => ops.extend(function.blocks[block].owner),
            }
        }
        let Some(op) = ops.pop() else { return live };
        if std::mem::replace(&mut live[op.index()], true) {
            continue;
        }
        let op = &function.ops[op];
        ops.extend(function.blocks[op.block].owner);
        for binding in op.args.iter().flat_map(|(_, a)| &a.0) {
            if let Binding::Value(v) = binding {
                values.push(*v);
            }
        }
        op.blocks.iter().for_each(|&b| values.extend(&function.blocks[b].results));
    }
}

/// The last user of each value in the block it is defined in.
fn deaths(function: &Function, blocks: &[Vec<OpId>]) -> Vec<Vec<ValueId>> {
    let mut place = vec![0usize; function.ops.len()];
    for order in blocks {
        order.iter().enumerate().for_each(|(i, op)| place[op.index()] = i);
    }
    let home = |v: ValueId| match function.values[v].def {
        Def::Param(block, _) => block,
        Def::Output(op, _) => function.ops[op].block,
    };
    // The op of `home` that uses the value, when the use is in a block nested in it.
    let ancestor = |mut op: OpId, home: BlockId| loop {
        let block = function.ops[op].block;
        if block == home {
            return Some(op);
        }
        op = function.blocks[block].owner?;
    };
    let mut last: Vec<Option<OpId>> = vec![None; function.values.len()];
    let mut note = |v: ValueId, op: OpId| {
        if let Some(user) = ancestor(op, home(v)) {
            let slot = &mut last[v.index()];
            if slot.is_none_or(|s| place[s.index()] < place[user.index()]) {
                *slot = Some(user);
            }
        }
    };
    for &op in blocks.iter().flatten() {
        for binding in function.ops[op].args.iter().flat_map(|(_, a)| &a.0) {
            if let Binding::Value(v) = binding {
                note(*v, op);
            }
        }
        for &block in &function.ops[op].blocks {
            for &v in &function.blocks[block].results {
                if home(v) != block {
                    note(v, op);
                }
            }
        }
        // Results nobody uses die where they are made.
        function.ops[op].outputs.iter().for_each(|&v| note(v, op));
    }
    for block in function.blocks.ids() {
        for &v in function.blocks[block].results.iter().filter(|&&v| home(v) == block) {
            last[v.index()] = None;
        }
    }
    let mut dies = vec![Vec::new(); function.ops.len()];
    for (index, op) in last.into_iter().enumerate() {
        if let Some(op) = op {
            dies[op.index()].push(ValueId::from_index(index));
        }
    }
    dies
}
