//! The Mac: four ways to run a program there, each a [`mil_run::Runtime`]: `coreml` (the public framework), `mle5` (Core ML's
//! own engine, from text), `e5rt` (the C interface beneath it) and `ane` (the Neural Engine's framework).
//!
//! The same code runs on Linux against the doubles of `mil-doubles` (feature `doubles`); only the loading of frameworks, the
//! surfaces and the C symbols differ, behind `platform`. Without either there is no `cfg(bridge)`, and asking for a runtime is
//! an error that says so.
//!
//! **What it must never know:** what an op means, how the cpu runtime computes, how the doubles work inside.
//!
//! **Where to start reading:** [`error::BridgeError`] for what can go wrong; `objc/` for how a message is sent (class and
//! selector and encoding are probed first, an exception is an error); `stage.rs` for how a program gets to where the frameworks
//! read it; `poison.rs` for why an output is never believed unseen; then one runtime, `ane/`.

pub mod codes;
pub mod error;
pub mod ground;
mod kind;
pub mod poison;
pub mod ports;
pub mod stage;
pub mod worker;

#[cfg(bridge)]
pub mod ane;
#[cfg(bridge)]
pub mod coreml;
#[cfg(bridge)]
pub mod e5rt;
#[cfg(bridge)]
pub mod mle5;
#[cfg(bridge)]
pub mod objc;
#[cfg(bridge)]
pub mod platform;
#[cfg(bridge)]
pub mod symbols;

pub use error::BridgeError;
pub use kind::{Kind, runtime};
