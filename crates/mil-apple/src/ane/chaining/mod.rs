//! Chaining: several evaluations prepared once, the output of one looped back as the input of the next.
//!
//! Nobody outside Apple has shown it to run. All of it is here so that what is on record (`facts/ane-facts.md` 1.5) can be repeated
//! and told apart, each result an [`Outcome`]. What replaces it: `milwright link`, or several operations in an e5rt stream.
//!
//! | step | call | on record |
//! |---|---|---|
//! | 1 | [`Buffer::new`], [`OutputSet::new`] | an output set without a surface for statistics is nil |
//! | 2 | [`ChainingRequest::new`] with [`Parts`] | takes anything |
//! | 3 | [`ChainingRequest::validate`] | YES with buffers in and sets of buffers out, NO with plain surfaces |
//! | 4 | [`prepare`], [`do_prepare`] | throws at wrong kinds of objects; code 15; one report of YES with [`Client::fresh`](super::Client::fresh) and [`ClientModel::inner`](super::ClientModel::inner) |
//! | 5 | [`buffers_ready`], [`enqueue`] | NO without an error |
//!
//! A caught exception leaves this process sound, but what it did to the daemon is not known: use a worker.

mod objects;
mod outcome;
mod request;
mod steps;

pub use objects::{Buffer, InputsReady, OutputEnqueue, OutputSet, PlainSurface};
pub use outcome::Outcome;
pub use request::{ChainingRequest, Parts, Value};
pub use steps::{buffers_ready, do_prepare, enqueue, prepare};
