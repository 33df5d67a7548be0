//! The C interface beneath Core ML, `e5rt_*`: the runtime `e5rt`, and [`Stream`] for several operations at once
//! (`facts/e5rt-chips-rules.md` section 4).
//!
//! A device mask of 4 is the Neural Engine or a compile error, and so a guarantee of placement; [`Devices`] has the others, which
//! are none. Every call is looked up by name (`api`), every handle is released once and in the documented order
//! (`handle`), tensors lie in buffers as the ports say (`layout`), and an output that nothing was written to is an error.
//!
//! Five things that sources get wrong and this bridge does not do: it declares the status as 32 bits, never calls
//! `prepare_op_for_encode`, `load_for_execution` or `error_code_get_string`, gives events the third argument 0 and the wait its three
//! arguments, and submits with `submit_async` and a block.
//!
//! A C++ exception thrown through a call ends the process; that is what the worker process is for.
//!
//! **Where to start reading:** `stream`, then `runtime.rs`, which is a stream of one operation.

mod api;
mod boundary;
mod buffer;
mod compile;
mod event;
mod handle;
mod layout;
mod pending;
mod runtime;
mod stream;

pub use api::Api;
pub use compile::{Devices, Program};
pub use event::Event;
pub use pending::Pending;
pub use runtime::{E5rt, Options};
pub use stream::{Draft, OperationId, Stream};

use crate::error::BridgeError;
use mil_run::Runtime;

/// The runtime `e5rt`, for the Neural Engine only.
///
/// Errors: a missing library or function.
pub fn runtime() -> Result<Box<dyn Runtime>, BridgeError> {
    Ok(Box::new(E5rt::new(Options::default())?))
}
