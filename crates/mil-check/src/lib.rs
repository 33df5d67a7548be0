//! Is the program right? [`ids()`] shows that nothing dangles, [`check()`] that every op fits its card and every declared
//! type is the true one. Whoever holds a [`Checked`] need not look again. [`specialise()`] repeats the inference with
//! concrete input shapes, [`interface()`] compares a function with a model's description, [`lint()`] gives advice.
//!
//! **What it must never know:** text, protobuf, files, how an op is executed. Of single ops it knows by name only what
//! no card can say: see `fold.rs`.
//!
//! **Where to start reading:** [`check()`], then `walk.rs`, which infers one function from top to bottom, and
//! `signature.rs`, which compares one op with its card. [`codes`] lists everything it complains about.

mod check;
pub mod codes;
mod declared;
mod flexible;
mod fold;
mod ids;
mod interface;
pub mod lint;
pub mod lints;
mod locate;
mod nearest;
mod signature;
mod specialise;
mod walk;

pub use check::{Card, Checked, Target, check};
pub use flexible::{Flexibility, SizeRange};
pub use ids::{MAX_NESTING, ids};
pub use interface::{Feature, Interface, interface};
pub use lint::{Level, Levels, Lint, lint};
pub use locate::locate;
pub use nearest::nearest;
pub use specialise::{Specialised, specialise};
pub use walk::infer_op;
