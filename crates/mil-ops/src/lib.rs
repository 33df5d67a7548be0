//! The op cards: one [`OpDef`] per MIL op says its signature by opset, its constraints, how its types are inferred,
//! what it computes (in f64, to be read), which CPU kernel computes it, and how exactly.
//!
//! **What it must never know:** a pass, a plan, a device driver, a file; any op from inside [`contract`].
//!
//! **Where to start reading:** [`contract::OpDef`], then one card, `ops/normalization/layer_norm.rs` with its manual
//! page `layer_norm.md` beside it. CONTRIBUTING.md shows how to add one.

pub mod codes;
pub mod contract;
pub mod ops;
mod opset;
pub mod support;

pub use contract::{OpDef, OpView, Version};
pub use opset::OpSet;
