//! What many cards share: arithmetic of shapes, positions and parameters, by noun.

pub(crate) mod args;
pub mod axes;
pub mod broadcast;
pub(crate) mod constness;
pub mod elementwise;
pub mod plan;
pub mod steps;
pub(crate) mod window;
