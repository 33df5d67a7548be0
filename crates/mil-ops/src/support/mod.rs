//! Arithmetic of shapes and positions that many cards share, by noun.

pub mod axes;
pub mod broadcast;
pub mod elementwise;
