//! Control flow as jumps. Loop variables have a buffer each, which the body's results are copied to; values of a loop's
//! body have buffers used anew in every turn.

use super::draft::{BufId, Instr, Kind, Loop, NoDraft};
use super::lower::Lower;
use crate::error::RunError;
use crate::single;
use mil_ir::{BlockId, OpId, ValueId};

impl Lower<'_> {
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

    pub(super) fn cond(&mut self, op: OpId) -> Result<(), NoDraft> {
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

    pub(super) fn while_loop(&mut self, op: OpId) -> Result<(), NoDraft> {
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
