//! The vocabulary every other crate speaks: [`Span`], [`Name`], [`DType`], [`Shape`], [`Type`],
//! [`Tensor`], [`Diagnostic`], and the typed arenas.
//!
//! **What it must never know:** the grammar of MIL text, the IR, any op, any file.
//!
//! **Where to start reading:** [`dtype`] and [`shape`] for what a value is, [`diagnostic`] for how
//! a user's mistake is described, [`arena`] for how the IR is stored.

pub mod arena;
mod codes;
pub mod diagnostic;
pub mod dtype;
pub mod name;
pub mod opset;
pub mod render;
pub mod shape;
pub mod span;
pub mod tensor;

pub use arena::{Arena, Id};
pub use diagnostic::{Diagnostic, Label, Place, Severity, sort_by_place};
pub use dtype::{DType, DTypes};
pub use half::{bf16, f16};
pub use name::{Interner, Name};
pub use opset::Opset;
pub use shape::{Dim, Shape, SymbolicDim, TensorType, Type};
pub use span::Span;
pub use tensor::{Tensor, TensorError};
