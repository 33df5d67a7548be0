//! The Neural Engine as data and arithmetic: what its matrix product computes bit for bit, which arithmetic made a given result, what its
//! errors mean, and what it is known to refuse.
//!
//! Nothing here was measured by us on Apple hardware. Each fact carries its source and how sure it is ([`Confidence`]); where sources
//! contradict each other, both sides stand.
//!
//! **What it must never know:** operating systems, frameworks, files, clocks. It cannot tell whether a Mac is present; it judges numbers it
//! is given.
//!
//! **Where to start reading:** [`arithmetic`], the candidates as plain functions; then [`fingerprint`], which compares a result with
//! each of them.

pub mod arithmetic;
pub mod catalogue;
pub mod errors;
pub mod fingerprint;
mod matrix;
mod provenance;
mod rounding;

pub use arithmetic::{Arithmetic, Attention};
pub use matrix::{Matrix, ShapeError};
pub use provenance::Confidence;
