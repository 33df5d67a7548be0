//! From buffers to places: how long each lives, which may share memory, and where it lies in the arena.

use super::draft::{BufId, Draft, How, Instr, Kind, LoopId, Step};
use super::pack::{Lifetime, alive_at_once, pack};
use crate::arena::{ALIGN, Region};
use crate::error::RunError;
use mil_ops::contract::{Alias, CpuKernel};

/// Where a buffer ended up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// In the arena.
    Arena(Region),
    /// In a constant.
    Constant(usize),
    /// Nowhere.
    Empty,
}

/// The layout of a draft.
pub(crate) struct Layout {
    /// By buffer.
    pub(crate) places: Vec<Place>,
    /// By buffer: snapshots that share the state's memory need no copy.
    pub(crate) shares_state: Vec<bool>,
    /// By instruction: steps that have nothing to do because their inputs are made where the output is.
    pub(crate) elided: Vec<bool>,
    /// Regions that die after each instruction, by instruction.
    pub(crate) frees: Vec<Vec<Region>>,
    /// Bytes of states, at the start of the arena.
    pub(crate) state_bytes: usize,
    /// Bytes of the whole arena.
    pub(crate) arena_bytes: usize,
    /// The most bytes of values alive at once: no layout without states is smaller.
    pub(crate) floor_bytes: usize,
}

/// A buffer's life. Instruction `i` is at time `i + 1`; inputs are written at 0, outputs read at the very end.
#[derive(Clone, Copy, Debug)]
struct Life {
    first: usize,
    last: usize,
}

/// Lays a draft out.
pub(crate) fn assign(draft: &Draft) -> Result<Layout, RunError> {
    let count = draft.buffers.len();
    let mut lives = lifetimes(draft);
    let mut kinds: Vec<Kind> = draft.buffers.iter().map(|b| b.kind).collect();
    settle_snapshots(draft, &lives, &mut kinds);
    update_states_in_place(draft, &lives, &mut kinds);
    let mut joint = Joint { root: (0..count).collect(), offset: vec![0; count] };
    share_in_place(draft, &kinds, &mut lives, &mut joint);
    let apart = (lives.clone(), joint.clone());
    let elided = join_parts(draft, &kinds, &mut lives, &mut joint);
    let layout = lay_out(draft, &kinds, &lives, &joint, elided)?;
    if layout.elided.iter().all(|e| !e) {
        return Ok(layout);
    }
    // Parts made in their place keep the whole reserved from the first part on; that must not cost much memory.
    let plain = lay_out(draft, &kinds, &apart.0, &apart.1, vec![false; draft.instrs.len()])?;
    let allowed = plain.arena_bytes.saturating_add(plain.arena_bytes / 16);
    Ok(if layout.arena_bytes <= allowed { layout } else { plain })
}

/// Gives every buffer its place.
fn lay_out(
    draft: &Draft,
    kinds: &[Kind],
    lives: &[Option<Life>],
    joint: &Joint,
    elided: Vec<bool>,
) -> Result<Layout, RunError> {
    let count = draft.buffers.len();

    let overflow = || RunError::internal("buffer sizes overflow");
    let mut state_bytes = 0usize;
    let mut state_regions = Vec::with_capacity(draft.states.len());
    for &(buffer, _) in &draft.states {
        let len = draft.buffers[buffer].size;
        state_regions.push(Region { offset: state_bytes, len });
        let padded = len.checked_next_multiple_of(ALIGN).ok_or_else(overflow)?;
        state_bytes = state_bytes.checked_add(padded).ok_or_else(overflow)?;
    }
    let roots: Vec<BufId> =
        (0..count).filter(|&b| joint.root[b] == b && kinds[b] == Kind::Arena && lives[b].is_some()).collect();
    let spans: Vec<Lifetime> = roots
        .iter()
        .filter_map(|&b| {
            let life = lives[b]?;
            Some(Lifetime { size: draft.buffers[b].size, first: life.first, last: life.last })
        })
        .collect();
    let packed = pack(&spans).ok_or_else(overflow)?;
    let arena_bytes = state_bytes.checked_add(packed.size).ok_or_else(overflow)?;

    let mut places = vec![Place::Empty; count];
    let mut frees = vec![Vec::new(); draft.instrs.len()];
    for ((&b, offset), span) in roots.iter().zip(&packed.offsets).zip(&spans) {
        let region = Region { offset: state_bytes + offset, len: span.size };
        places[b] = Place::Arena(region);
        if let Some(dead) = span.last.checked_sub(1).and_then(|i| frees.get_mut(i)) {
            dead.push(region);
        }
    }
    let mut shares_state = vec![false; count];
    for b in 0..count {
        match kinds[b] {
            Kind::Constant(number) => places[b] = Place::Constant(number),
            Kind::State(number) => places[b] = Place::Arena(state_regions[number]),
            Kind::Snapshot(number) => {
                shares_state[b] = true;
                places[b] = Place::Arena(state_regions[number]);
            }
            Kind::Arena => {
                let (root, offset) = joint.find(b);
                if let Place::Arena(whole) = places[root] {
                    let region = Region { offset: whole.offset + offset, len: draft.buffers[b].size };
                    places[b] = Place::Arena(region);
                }
            }
            Kind::Empty => {}
        }
    }
    let floor_bytes = alive_at_once(&spans);
    Ok(Layout { places, shares_state, elided, frees, state_bytes, arena_bytes, floor_bytes })
}

/// Buffers that lie within others: by buffer the one it lies in (itself if in none), and how far from its start.
#[derive(Clone)]
struct Joint {
    root: Vec<BufId>,
    offset: Vec<usize>,
}

impl Joint {
    /// The buffer it lies in at last, and how far from the start of that.
    fn find(&self, mut b: BufId) -> (BufId, usize) {
        let mut offset = 0;
        while self.root[b] != b {
            offset += self.offset[b];
            b = self.root[b];
        }
        (b, offset)
    }
}

/// The buffers an instruction reads and writes.
fn touches(instr: &Instr, mut visit: impl FnMut(BufId)) {
    match instr {
        Instr::Step(step) => {
            step.inputs.iter().flatten().for_each(|&b| visit(b));
            step.outputs.iter().chain(&step.scratch).for_each(|&b| visit(b));
        }
        Instr::Copy { from, to } => {
            visit(*from);
            visit(*to);
        }
        Instr::Read { snapshot } => visit(*snapshot),
        Instr::JumpUnless { test, .. } => visit(*test),
        Instr::Jump { .. } => {}
    }
}

/// First and last use. A use in a loop that the buffer does not belong to lasts until the end of that loop.
fn lifetimes(draft: &Draft) -> Vec<Option<Life>> {
    let mut lives: Vec<Option<Life>> = vec![None; draft.buffers.len()];
    let mut note = |b: BufId, time: usize, inside: Option<LoopId>| {
        let home = draft.buffers[b].home;
        let (mut last, mut at) = (time, inside);
        while let Some(l) = at.filter(|_| at != home) {
            last = last.max(draft.loops[l].end + 1);
            at = draft.loops[l].parent;
        }
        let life = lives[b].get_or_insert(Life { first: time, last });
        life.first = life.first.min(time);
        life.last = life.last.max(last);
    };
    draft.inputs.iter().for_each(|&(_, b)| note(b, 0, None));
    for (i, instr) in draft.instrs.iter().enumerate() {
        touches(instr, |b| note(b, i + 1, draft.loop_of[i]));
    }
    draft.outputs.iter().for_each(|&(_, b, _)| note(b, draft.instrs.len() + 1, None));
    lives
}

/// A snapshot becomes a copy of its own if the state is written while it is alive.
fn settle_snapshots(draft: &Draft, lives: &[Option<Life>], kinds: &mut [Kind]) {
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
fn update_states_in_place(draft: &Draft, lives: &[Option<Life>], kinds: &mut [Kind]) {
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
fn share_in_place(draft: &Draft, kinds: &[Kind], lives: &mut [Option<Life>], joint: &mut Joint) {
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
fn join_parts(draft: &Draft, kinds: &[Kind], lives: &mut [Option<Life>], joint: &mut Joint) -> Vec<bool> {
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
