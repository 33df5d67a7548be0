//! The protobuf messages of a `.mlmodel` file, generated from `proto/*.proto` in this crate by
//! `BLESS=1 cargo test -p mil-codec --test proto`. Maps are ordered by key, so encoding is deterministic.

#![allow(missing_docs, clippy::all, reason = "generated")]

#[rustfmt::skip]
mod core_ml;

pub use core_ml::*;
