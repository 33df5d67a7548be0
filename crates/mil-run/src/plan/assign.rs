//! From buffers to places: how long each lives, which may share memory, and where it lies in the arena.

use super::draft::{BufId, Draft, Instr, Kind, LoopId};
use super::pack::{Lifetime, alive_at_once, pack};
use super::share::{Joint, join_parts, settle_snapshots, share_in_place, update_states_in_place};
use crate::arena::{ALIGN, Region};
use crate::error::RunError;

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
pub(super) struct Life {
    pub(super) first: usize,
    pub(super) last: usize,
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
