//! Which buffers share memory: results laid over inputs, parts laid into what they are joined to, readings of states.

use super::assign::Life;
use super::draft::{BufId, Draft, How, Instr, Kind, Step};
use crate::arena::ALIGN;
use mil_ops::contract::{Alias, CpuKernel};

/// Buffers that lie within others: by buffer the one it lies in (itself if in none), and how far from its start.
#[derive(Clone)]
pub(super) struct Joint {
    pub(super) root: Vec<BufId>,
    pub(super) offset: Vec<usize>,
}

impl Joint {
    /// The buffer it lies in at last, and how far from the start of that.
    pub(super) fn find(&self, mut b: BufId) -> (BufId, usize) {
        let mut offset = 0;
        while self.root[b] != b {
            offset += self.offset[b];
            b = self.root[b];
        }
        (b, offset)
    }
}

/// A snapshot becomes a copy of its own if the state is written while it is alive.
pub(super) fn settle_snapshots(draft: &Draft, lives: &[Option<Life>], kinds: &mut [Kind]) {
    let mut writes: Vec<Vec<usize>> = vec![Vec::new(); draft.states.len()];
    for (i, instr) in draft.instrs.iter().enumerate() {
        if let Instr::Copy { to, .. } = instr
            && let Kind::State(number) = kinds[*to]
        {
            writes[number].push(i + 1);
        }
    }
    for (kind, life) in kinds.iter_mut().zip(lives) {
        if let (&mut Kind::Snapshot(number), Some(life)) = (&mut *kind, life)
            // Writing a state with its own snapshot as the last use changes nothing, so `last` itself does no harm.
            && writes[number].iter().any(|&w| life.first <= w && w < life.last)
        {
            *kind = Kind::Arena;
        }
    }
}

/// A state that is read, changed by a kernel that works in place, and written, is changed where it is: what a cache of
/// keys and values needs, whose writing would otherwise cost two copies of the whole.
///
/// The result of such a step becomes a snapshot of the state that shares its memory. For that the reading must die at
/// the step; between step and writing nothing may branch, and no other reading of the state may be alive; and the state
/// must not be written again while the result is alive.
pub(super) fn update_states_in_place(draft: &Draft, lives: &[Option<Life>], kinds: &mut [Kind]) {
    for (i, instr) in draft.instrs.iter().enumerate() {
        let Some((step, kernel)) = kernel_step(instr) else { continue };
        let Alias::InPlace(slot) = kernel.alias else { continue };
        let (Some(Some(input)), Some(&output)) = (step.inputs.get(slot).copied(), step.outputs.first())
        else {
            continue;
        };
        let (Kind::Snapshot(state), Kind::Arena) = (kinds[input], kinds[output]) else { continue };
        let (Some(dying), Some(born)) = (lives[input], lives[output]) else { continue };
        let straight = draft.instrs[i + 1..].iter().position(|next| match next {
            Instr::Copy { to, .. } => kinds[*to] == Kind::State(state),
            Instr::Step(_) | Instr::Read { .. } => false,
            Instr::JumpUnless { .. } | Instr::Jump { .. } => true,
        });
        let Some(write) = straight.map(|ahead| i + 1 + ahead) else { continue };
        let writes_it = matches!(draft.instrs[write], Instr::Copy { from, .. } if from == output);
        let jumped_to = draft.instrs.iter().any(|other| match other {
            Instr::Jump { to } | Instr::JumpUnless { to, .. } => (i + 1..=write).contains(to),
            _ => false,
        });
        let others_alive = (0..kinds.len()).any(|b| {
            let overlaps = lives[b].is_some_and(|l| l.first <= write + 1 && l.last > i + 1);
            b != output && kinds[b] == Kind::Snapshot(state) && overlaps
        });
        let written_again = draft.instrs.iter().enumerate().any(|(k, other)| {
            let writes = matches!(other, Instr::Copy { to, .. } if kinds[*to] == Kind::State(state));
            writes && k != write && born.first <= k + 1 && k + 1 < born.last
        });
        let reads_once =
            step.inputs.iter().flatten().filter(|&&b| kinds[b] == Kind::Snapshot(state)).count() == 1;
        let fits = dying.last == i + 1
            && draft.buffers[input].size == draft.buffers[output].size
            && draft.buffers[input].home == draft.buffers[output].home;
        if fits && writes_it && reads_once && !jumped_to && !others_alive && !written_again {
            kinds[output] = Kind::Snapshot(state);
        }
    }
}

/// Lays outputs over inputs that die where the kernel allows it.
pub(super) fn share_in_place(draft: &Draft, kinds: &[Kind], lives: &mut [Option<Life>], joint: &mut Joint) {
    for (i, instr) in draft.instrs.iter().enumerate() {
        let Some((step, kernel)) = kernel_step(instr) else { continue };
        let Alias::InPlace(slot) = kernel.alias else { continue };
        let (Some(Some(input)), Some(&output)) = (step.inputs.get(slot).copied(), step.outputs.first())
        else {
            continue;
        };
        let (input, _) = joint.find(input);
        let (Some(dying), Some(born)) = (lives[input], lives[output]) else { continue };
        let again = step.inputs.iter().flatten().filter(|&&b| joint.find(b).0 == input).count();
        let fits = kinds[input] == Kind::Arena
            && kinds[output] == Kind::Arena
            && dying.last == i + 1
            && again == 1
            && draft.buffers[input].size == draft.buffers[output].size
            && draft.buffers[input].home == draft.buffers[output].home;
        if fits {
            joint.root[output] = input;
            lives[input] = Some(Life { first: dying.first, last: dying.last.max(born.last) });
        }
    }
}

/// Lays inputs into the output that consists of them, where all of one step's can be; gives the steps that are done
/// with that.
pub(super) fn join_parts(
    draft: &Draft,
    kinds: &[Kind],
    lives: &mut [Option<Life>],
    joint: &mut Joint,
) -> Vec<bool> {
    let mut elided = vec![false; draft.instrs.len()];
    let last_write = last_writes(draft, joint);
    for (i, instr) in draft.instrs.iter().enumerate() {
        let Some((step, kernel)) = kernel_step(instr) else { continue };
        let Alias::Join { first, count } = kernel.alias else { continue };
        let (Some(parts), &[output]) = (step.inputs.get(first..first.saturating_add(count)), &*step.outputs)
        else {
            continue;
        };
        let whole = draft.buffers[output];
        let Some(mut life) = lives[output].filter(|_| last_write[output] == i + 1) else { continue };
        let (mut at, mut found): (usize, Vec<(BufId, usize)>) = (0, Vec::new());
        for part in parts {
            let Some(part) = *part else { break };
            let (root, offset) = joint.find(part);
            let (buffer, size) = (draft.buffers[root], draft.buffers[part].size);
            let fits = kinds[root] == Kind::Arena
                && offset == 0
                && buffer.size == size
                && buffer.home == whole.home
                && at.is_multiple_of(ALIGN)
                // Nothing may be laid over a part, or over the whole, while the other is alive.
                && last_write[root] <= i
                && joint.find(output).0 == output
                && found.iter().all(|&(b, _)| b != root);
            let Some(of_part) = lives[root].filter(|_| fits) else { break };
            life = Life { first: life.first.min(of_part.first), last: life.last.max(of_part.last) };
            found.push((root, at));
            at += size;
        }
        if found.len() == count && at == whole.size && kinds[output] == Kind::Arena {
            for (root, offset) in found {
                joint.root[root] = output;
                joint.offset[root] = offset;
            }
            lives[output] = Some(life);
            elided[i] = true;
        }
    }
    elided
}

/// When each buffer, or one laid over it, is written last.
fn last_writes(draft: &Draft, joint: &Joint) -> Vec<usize> {
    let mut last = vec![0; draft.buffers.len()];
    for (i, instr) in draft.instrs.iter().enumerate() {
        let mut note = |b: BufId| last[joint.find(b).0] = i + 1;
        match instr {
            Instr::Step(step) => step.outputs.iter().for_each(|&b| note(b)),
            Instr::Copy { to, .. } => note(*to),
            Instr::Read { snapshot } => note(*snapshot),
            Instr::JumpUnless { .. } | Instr::Jump { .. } => {}
        }
    }
    last
}

fn kernel_step(instr: &Instr) -> Option<(&Step, &CpuKernel)> {
    match instr {
        Instr::Step(step) => match &step.how {
            How::Kernel(kernel) => Some((step, kernel)),
            How::Rule(_) => None,
        },
        _ => None,
    }
}
