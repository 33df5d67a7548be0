//! The runtime `e5rt` and its streams, against the double of the C interface.
//!
//! The double is one for the process, and so are its switches: every test holds [`common::alone`].

mod common;
mod equal;
