//! From buffers to places: how long each lives, which may share memory, and where it lies in the arena.

use super::draft::{BufId, Draft, How, Instr, Kind, LoopId};
use super::pack::{Lifetime, alive_at_once, pack};
use crate::arena::{ALIGN, Region};
use crate::error::RunError;
use mil_ops::contract::Alias;

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
#[derive(Clone, Copy)]
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
    let mut root: Vec<BufId> = (0..count).collect();
    share_in_place(draft, &kinds, &mut lives, &mut root);

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
        (0..count).filter(|&b| root[b] == b && kinds[b] == Kind::Arena && lives[b].is_some()).collect();
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
            Kind::Arena => places[b] = places[find(&root, b)],
            Kind::Empty => {}
        }
    }
    let floor_bytes = alive_at_once(&spans);
    Ok(Layout { places, shares_state, frees, state_bytes, arena_bytes, floor_bytes })
}

fn find(root: &[BufId], mut b: BufId) -> BufId {
    while root[b] != b {
        b = root[b];
    }
    b
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

/// Lays outputs over inputs that die where the kernel allows it.
fn share_in_place(draft: &Draft, kinds: &[Kind], lives: &mut [Option<Life>], root: &mut [BufId]) {
    for (i, instr) in draft.instrs.iter().enumerate() {
        let Instr::Step(step) = instr else { continue };
        let How::Kernel(kernel) = &step.how else { continue };
        let Alias::InPlace(slot) = kernel.alias else { continue };
        let (Some(Some(input)), Some(&output)) = (step.inputs.get(slot).copied(), step.outputs.first())
        else {
            continue;
        };
        let input = find(root, input);
        let (Some(dying), Some(born)) = (lives[input], lives[output]) else { continue };
        let again = step.inputs.iter().flatten().filter(|&&b| find(root, b) == input).count();
        let fits = kinds[input] == Kind::Arena
            && kinds[output] == Kind::Arena
            && dying.last == i + 1
            && again == 1
            && draft.buffers[input].size == draft.buffers[output].size
            && draft.buffers[input].home == draft.buffers[output].home;
        if fits {
            root[output] = input;
            lives[input] = Some(Life { first: dying.first, last: dying.last.max(born.last) });
        }
    }
}
