//! The Neural Engine's own framework: programs in memory, compiled by `_ANEInMemoryModel`.
//!
//! Where to start reading: `runtime.rs` for the life of a program; `program.rs` for compiling (once for each text, counted,
//! with a pause after failures) and loading; `binding.rs` for how names become surfaces; `route.rs` for the ways to have a
//! request evaluated; [`chaining`] and [`Client`] for what the research tried beyond that.
//!
//! What this path takes at a program's boundary is in `binding.rs`. On fp32 the facts contradict each other: an fp32 port
//! with a cast inside works on M3 and later (`facts/ane-facts.md` S11, the research), and is refused by the compiler on M1 and
//! M2 (S12); a program is handed over as it declares its ports, and the compiler has the word.

mod binding;
pub mod chaining;
mod client;
mod device;
mod events;
mod model;
mod options;
mod program;
mod request;
mod route;
mod runtime;

pub use binding::{Bound, Procedure, Symbol};
pub use client::{Client, ClientModel, Mapper};
pub use device::{Device, device};
pub use events::{SharedEvent, SharedEvents, SignalEvent, WaitEvent};
pub use model::{Descriptor, InMemoryModel};
pub use options::{Options, Route};
pub use program::{Program, compiles};
pub use request::Request;
pub use route::evaluate;
pub use runtime::{Ane, LoadedAne};

use crate::error::BridgeError;

/// The runtime `ane`, with [`Options::default`].
pub fn runtime() -> Result<Box<dyn mil_run::Runtime>, BridgeError> {
    Ok(Box::new(Ane::new(Options::default())?))
}
