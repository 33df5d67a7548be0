//! Arithmetic of shapes and positions that many cards share, by noun.

pub(crate) mod args;
pub mod axes;
pub mod broadcast;
pub(crate) mod constness;
pub mod elementwise;
pub mod plan;
pub mod steps;
pub mod index;
pub(crate) mod window;
