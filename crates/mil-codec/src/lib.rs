//! Bytes to IR and back. One module per format: [`text`] (MIL text), [`package`] (the protobuf and the
//! `.mlpackage` around it), [`bundle`] (the compiled `.mlmodelc`) and [`blob`] (weight files).
//!
//! **What it must never know:** files, paths on a disk, and memory maps (the `milwright` facade opens them and
//! hands over [`bytes::Bytes`]); what any op means; how a program is run.
//!
//! **Where to start reading:** [`blob`] for the simplest format, then [`package`] for how a message becomes a
//! `Program`. The facts come from `facts/mil-blob-format.md` and `facts/mil-text-grammar.md`.

pub mod blob;
pub mod bundle;
pub mod codes;
pub mod folder;
pub mod package;
pub mod text;
pub mod weights;
