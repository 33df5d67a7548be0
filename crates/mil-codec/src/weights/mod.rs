//! The weights of a program: finding them in files ([`attach()`]), and deciding which go into one ([`store()`]).

mod attach;
mod store;

pub use attach::attach;
pub use store::{Storage, Stored, store};
