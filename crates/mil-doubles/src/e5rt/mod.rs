//! The double of Espresso's `e5rt_*` calls: the real names and C signatures, computing with the cpu runtime
//! (`facts/e5rt-chips-rules.md` section 4).
//!
//! A handle is a number that is looked up, never an address: a stale, foreign or misplaced one is answered with a status and
//! a text, as is every mistake in the order of arguments. Only out-pointers, texts, buffers and blocks are memory.
//!
//! Not modelled: the compile times, what `fork` breaks, buffers of Metal.

mod behaviours;
mod block;
mod buffer;
mod call;
mod compiler;
mod event;
mod handle;
mod layout;
mod library;
mod operation;
mod port;
mod stream;

pub(crate) use behaviours::BEHAVIOURS;
pub use call::{Failing, fail};
pub use compiler::{CHIP, REFUSED};
pub use handle::{forget_all, live};
pub use operation::loaded;

use crate::behaviour;
use crate::symbols::Export;

/// Every call, unless a behaviour that hides some of them is broken.
pub(crate) fn exports() -> Vec<Export> {
    let families = [
        call::exports,
        compiler::exports,
        library::exports,
        operation::exports,
        buffer::exports,
        event::exports,
    ];
    let mut all: Vec<Export> = families.iter().flat_map(|f| f()).chain(stream::exports()).collect();
    all.extend(port::exports());
    if !behaviour::is_on("e5rt/port-introspection") {
        all.retain(|e| !e.name.contains("tensor_desc") && e.name != "e5rt_io_port_is_tensor");
    }
    all
}
