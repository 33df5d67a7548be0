//! Runs checked programs: [`Cpu`] plans them (one arena with reused memory, fused steps, kernels chosen once),
//! [`Reference`] computes every op by its card's definition in f64, [`verify()`] compares the two step by step.
//!
//! **What it must never know:** text, protobuf, files, clocks. Of single ops it knows by name only those that it executes
//! itself: control flow, lists and states (`interpret/machine.rs`, `plan/draft.rs`).
//!
//! **Where to start reading:** [`Runtime`], [`Loaded`] and [`Session`] for what is offered; `plan/mod.rs` for how a
//! program is planned and `cpu/exec.rs` for how a plan runs; `interpret/machine.rs` for the interpreter that the reference
//! and functions with data-dependent sizes share. `arena.rs` is the only file with `unsafe`.

mod arena;
pub mod codes;
mod cpu;
mod error;
mod interpret;
mod observe;
mod options;
mod placement;
mod plan;
mod ports;
mod reference;
mod runtime;
mod single;
mod verify;

pub use arena::Region;
pub use cpu::{Bound, Cpu, CpuSession, LoadedCpu};
pub use error::{MemoryNeed, RunError, bytes};
pub use observe::{Observer, StepView};
pub use options::{HeldWeights, Options};
pub use placement::{Claim, Device, Evidence, Ground, Placement, PlannedOp, Strength};
pub use plan::{Plan, PlanMemory};
pub use ports::{find_function, inputs, match_inputs, states};
pub use reference::Reference;
pub use runtime::{Loaded, Named, Runtime, Session};
pub use verify::{
    Compared, Deviation, Incomparable, OutputCheck, Report, StepCheck, TRIES, compare_steps, verify,
};
