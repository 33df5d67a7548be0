//! Visiting the ops of a function in order, nested blocks included.

use crate::program::{Binding, BlockId, Function, OpId, ValueId};

/// Calls `visit` on `root` and every block nested in it, outer blocks first. Nesting is walked without recursion.
pub fn walk_blocks(function: &Function, root: BlockId, mut visit: impl FnMut(BlockId)) {
    let mut stack = vec![root];
    while let Some(block) = stack.pop() {
        visit(block);
        for &op in function.blocks[block].ops.iter().rev() {
            stack.extend(function.ops[op].blocks.iter().rev());
        }
    }
}

/// Every op reachable from the body: an op stands before the ops of its nested blocks, and those before the next op.
pub fn ops_in_order(function: &Function) -> Vec<OpId> {
    let mut order = Vec::with_capacity(function.ops.len());
    let mut stack: Vec<OpId> = function.blocks[function.body].ops.iter().rev().copied().collect();
    while let Some(op) = stack.pop() {
        order.push(op);
        for &block in function.ops[op].blocks.iter().rev() {
            stack.extend(function.blocks[block].ops.iter().rev());
        }
    }
    order
}

/// How often each value is used, by value index: as an argument, or as a result of a block.
pub fn uses(function: &Function) -> Vec<u32> {
    let mut counts = vec![0; function.values.len()];
    let mut count = |v: ValueId| counts[v.index()] += 1;
    for op in ops_in_order(function) {
        for (_, arg) in &function.ops[op].args {
            for binding in &arg.0 {
                if let Binding::Value(v) = binding {
                    count(*v);
                }
            }
        }
    }
    walk_blocks(function, function.body, |block| {
        function.blocks[block].results.iter().for_each(|v| count(*v));
    });
    counts
}
