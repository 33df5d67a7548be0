//! Weights expanded from the forms they are compressed in: indices into tables, integers with scales and offsets for
//! blocks, and masks with the elements that are not zero.
//!
//! These run before every step that reads such a weight, so none of them looks at a type or a shape for each element: a
//! piece of a few hundred elements with one table (or scale) is unpacked into a buffer on the stack and mapped at once.

mod lookup;
mod numbers;
mod scaled;
mod sparse;
mod tiles;

pub use lookup::{Entry, LookUp};
pub use numbers::Numbers;
pub use scaled::Scaled;
pub use sparse::{SparseLookUp, SparseScaled, Spread};
