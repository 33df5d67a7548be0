//! MIL text to a syntax tree and diagnostics, and MIL text to canonical layout.
//!
//! [`parse()`] never fails: it gives the tree of what could be read and every mistake it met, each with its place and a
//! remedy. Literals are read as the type before them says, so a tensor of a million numbers is one packed
//! [`mil_base::Tensor`], rounded once, and not a million nodes. [`format()`] lays a text out anew and keeps its comments.
//!
//! **What it must never know:** the IR, any op, whether a name is defined, files. The grammar it reads is
//! `facts/mil-text-grammar.md`.
//!
//! **Where to start reading:** [`tree`] for what comes out, `parse/mod.rs` for how errors are survived,
//! `parse/statement.rs` for the grammar's heart, [`codes`] for everything it complains about.

pub mod codes;
mod format;
mod number;
mod parse;
mod token;
pub mod tree;

pub use format::format;
pub use parse::{MAX_DEPTH, Parsed, parse, parse_bytes};
