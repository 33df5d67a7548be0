//! The runtime `ane` against the doubles.

mod common;
mod refusals;
mod runs;
