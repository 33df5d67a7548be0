//! Programs made from programs: what takes [`Checked`](mil_check::Checked) programs and gives one that was checked again.
//! [`link()`] joins several into one function, so that what took a dispatch each takes one.
//!
//! **What it must never know:** text, protobuf, files, how an op is executed. Of single ops it names only those that it
//! inserts itself: `cast` and `identity`.
//!
//! **Where to start reading:** [`link`](mod@link) for what is matched with what, `link/wiring.rs` for how. [`codes`] lists
//! everything it complains about.

pub mod codes;
pub mod link;

pub use link::{Bind, Feed, LinkOptions, Linked, Origin, Part, Problem, link};
