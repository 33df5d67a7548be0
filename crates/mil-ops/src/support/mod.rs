//! Arithmetic of shapes and positions that many cards share, by noun.

pub(crate) mod args;
pub mod axes;
pub mod blocks;
pub mod broadcast;
pub(crate) mod constness;
pub mod elementwise;
pub mod index;
pub mod moves;
pub mod plan;
pub mod steps;
pub mod stream;
pub(crate) mod window;
pub mod words;
