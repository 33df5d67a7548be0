//! Risky calls in a process of their own, which may die.
//!
//! [`Isolated`] is a runtime whose programs are loaded and run by a worker: a crash, a hang or a used-up compile budget there is an
//! error here (`apple/worker-died`, with what the worker was doing), and the next call starts a new one. [`serve`] is the other
//! end: the executable that [`Command`] names calls it and does nothing else. [`Worker::perform`] has a worker do anything else
//! that may end badly, given by name in [`serve_with`].
//!
//! Where to start reading: `message.rs` for what is said, `frame.rs` for how it is written, `client.rs` and `host.rs` for the ends.

mod client;
mod frame;
mod host;
mod isolated;
mod message;
mod stdio;

pub use client::{Command, Limits, Worker};
pub use host::{Task, serve, serve_with};
pub use isolated::Isolated;
