//! The research as a lab. Each experiment is a card: its question, its steps, what the research saw, what later work
//! corrected, what counts as repeated. It runs against a Mac, or against the doubles of `mil-doubles` (feature `doubles`); what
//! comes out is evidence: findings, times with their spread, where the work ran and how that is known, and a verdict.
//!
//! **What it must never know:** the command line; how a bridge or a double works inside. It judges what the bridges give it.
//!
//! **Where to start reading:** [`Experiment`] for what a card is and `experiments/programs/z1.rs` with its page for one;
//! [`Bench`] for what its steps may do; [`judge()`] for how the page's table becomes a verdict; [`run`] for the life of a run.

mod bench;
mod card;
pub mod confirm;
mod evidence;
pub mod experiments;
mod judge;
#[cfg(bridge)]
mod layer;
mod mil;
mod observation;
mod page;
pub mod report;
pub mod run;
mod show;
mod system;

pub use bench::Program;
pub use bench::{Bench, Stop};
pub use card::{Experiment, Risk, Steps, find, in_order};
pub use evidence::{Evidence, Record};
pub use judge::{Verdict, judge};
pub use observation::{Dump, Figure, Finding, Observation, Placed, Spread, Value};
pub use page::{Is, Page, Row, Saw, Where};
pub use show::{list, show};
pub use system::{Ground, here};
