//! The runtime `ane` against the doubles.

mod broken;
mod common;
mod compiling;
mod exceptions;
mod leaks;
mod outcomes;
mod refusals;
mod runs;
mod selectors;
mod threads;
