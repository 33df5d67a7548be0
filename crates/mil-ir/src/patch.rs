//! Changing a function: collected first, applied at once.

use crate::program::{Arg, Binding, Def, Function, Op, OpId, Value, ValueId};
use mil_base::{Name, Type};
use std::fmt;

/// Why a [`Patch`] was refused; the function is unchanged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PatchError {
    /// An op named in the patch is not of this function, or not in the block it says it is in.
    NoSuchOp(OpId),
    /// A value named in the patch is not of this function.
    NoSuchValue(ValueId),
    /// A removed op's output is still used.
    StillUsed(ValueId),
}

impl fmt::Display for PatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PatchError::NoSuchOp(op) => {
                write!(f, "the patch names op {op:?}, which the function does not have")
            }
            PatchError::NoSuchValue(v) => {
                write!(f, "the patch names value {v:?}, which the function does not have")
            }
            PatchError::StillUsed(v) => {
                write!(f, "the patch removes the op that defines {v:?}, which is still used")
            }
        }
    }
}

impl std::error::Error for PatchError {}

/// An op to insert.
struct Insertion {
    before: OpId,
    op: Op,
    outputs: Vec<Value>,
}

/// A set of changes to one function: ops inserted, values replaced, ops removed, in that order.
pub struct Patch {
    next_op: usize,
    next_value: usize,
    insertions: Vec<Insertion>,
    replacements: Vec<(ValueId, ValueId)>,
    removals: Vec<OpId>,
}

impl Patch {
    /// An empty patch for `function`. Ids it hands out are valid once it is applied to that function, unchanged since.
    pub fn new(function: &Function) -> Patch {
        Patch {
            next_op: function.ops.len(),
            next_value: function.values.len(),
            insertions: Vec::new(),
            replacements: Vec::new(),
            removals: Vec::new(),
        }
    }

    /// Inserts an op before `before`, in the same block; gives the ids of its outputs.
    pub fn insert(
        &mut self,
        function: &Function,
        before: OpId,
        name: impl Into<Name>,
        args: Vec<(Name, Arg)>,
        outputs: Vec<(Name, Type)>,
    ) -> Result<Vec<ValueId>, PatchError> {
        let block = function.ops.get(before).ok_or(PatchError::NoSuchOp(before))?.block;
        let op = OpId::from_index(self.next_op);
        self.next_op += 1;
        let mut ids = Vec::new();
        let mut values = Vec::new();
        for (index, (name, ty)) in outputs.into_iter().enumerate() {
            ids.push(ValueId::from_index(self.next_value));
            self.next_value += 1;
            values.push(Value { name, ty, def: Def::Output(op, index as u32) });
        }
        let op = Op {
            name: name.into(),
            args,
            attributes: Vec::new(),
            outputs: ids.clone(),
            blocks: Vec::new(),
            block,
        };
        self.insertions.push(Insertion { before, op, outputs: values });
        Ok(ids)
    }

    /// Every use of `old` becomes a use of `new`.
    pub fn replace(&mut self, old: ValueId, new: ValueId) {
        self.replacements.push((old, new));
    }

    /// Removes an op from its block. Its outputs must have no use left.
    pub fn remove(&mut self, op: OpId) {
        self.removals.push(op);
    }

    /// Applies everything, or nothing.
    pub fn apply(self, function: &mut Function) -> Result<(), PatchError> {
        for &op in self.removals.iter().chain(self.insertions.iter().map(|i| &i.before)) {
            let found = function.ops.get(op).is_some_and(|o| function.blocks[o.block].ops.contains(&op));
            if !found {
                return Err(PatchError::NoSuchOp(op));
            }
        }
        if let Some(&(v, _)) = self
            .replacements
            .iter()
            .find(|(old, new)| old.index() >= function.values.len() || new.index() >= self.next_value)
        {
            return Err(PatchError::NoSuchValue(v));
        }
        let mut next = function.clone();
        for Insertion { before, op, outputs } in self.insertions {
            let block = op.block;
            let id = next.ops.push(op);
            outputs.into_iter().for_each(|v| {
                next.values.push(v);
            });
            let ops = &mut next.blocks[block].ops;
            let at = ops.iter().position(|&o| o == before).unwrap_or(ops.len());
            ops.insert(at, id);
        }
        for (old, new) in self.replacements {
            replace_uses(&mut next, old, new);
        }
        for op in self.removals {
            let block = next.ops[op].block;
            next.blocks[block].ops.retain(|&o| o != op);
        }
        let uses = crate::walk::uses(&next);
        for (id, value) in next.values.iter() {
            if let Def::Output(op, _) = value.def
                && uses[id.index()] > 0
                && !next.blocks[next.ops[op].block].ops.contains(&op)
            {
                return Err(PatchError::StillUsed(id));
            }
        }
        *function = next;
        Ok(())
    }
}

fn replace_uses(function: &mut Function, old: ValueId, new: ValueId) {
    for op in function.ops.ids() {
        for (_, arg) in &mut function.ops[op].args {
            for binding in &mut arg.0 {
                if *binding == Binding::Value(old) {
                    *binding = Binding::Value(new);
                }
            }
        }
    }
    for block in function.blocks.ids() {
        for result in &mut function.blocks[block].results {
            if *result == old {
                *result = new;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::Builder;
    use mil_base::{DType, Shape};

    fn chain() -> Function {
        let ty = Type::tensor(DType::Fp32, Shape::known(&[4]));
        let mut b = Builder::new("main", "ios17");
        let x = b.param("x", ty.clone());
        let first = b.op("relu", vec![("x".into(), Arg::value(x))], vec![], vec![("a".into(), ty.clone())]);
        let a = b.function().ops[first].outputs[0];
        let second = b.op("relu", vec![("x".into(), Arg::value(a))], vec![], vec![("y".into(), ty)]);
        let y = b.function().ops[second].outputs[0];
        b.finish(vec![y])
    }

    #[test]
    fn a_used_op_cannot_be_removed_and_nothing_changes() {
        let mut f = chain();
        let first = f.blocks[f.body].ops[0];
        let mut patch = Patch::new(&f);
        patch.remove(first);
        assert!(matches!(patch.apply(&mut f), Err(PatchError::StillUsed(_))));
        assert_eq!(f.blocks[f.body].ops.len(), 2);
    }

    #[test]
    fn replacing_then_removing_joins_the_chain() {
        let mut f = chain();
        let first = f.blocks[f.body].ops[0];
        let (x, a) = (f.params()[0], f.ops[first].outputs[0]);
        let mut patch = Patch::new(&f);
        patch.replace(a, x);
        patch.remove(first);
        patch.apply(&mut f).unwrap();
        let only = f.blocks[f.body].ops[0];
        assert_eq!(f.ops[only].arg("x"), Some(&Arg::value(x)));
    }
}
