//! The runtime `e5rt` and its streams, against the double of the C interface.
//!
//! The double is one for the process, and so are its switches: every test holds [`common::alone`].

mod behaviours;
mod common;
mod cycles;
mod equal;
mod failures;
mod research;
mod states;
mod streams;
mod submitted;
