//! The intermediate representation: a [`Program`] of [`Function`]s, each an arena of blocks, ops and values.
//!
//! **What it must never know:** any concrete op, text or protobuf, types that were inferred (those live in side
//! tables keyed by id), or where a weight file is.
//!
//! **Where to start reading:** [`Program`], then [`Op`] and [`Arg`]. Programs are made with [`Builder`] and changed with
//! [`Patch`] only.

mod builder;
mod constant;
mod origins;
mod patch;
mod program;
mod walk;

pub use builder::Builder;
pub use constant::{Blob, BlobId, Constant, Payload};
pub use origins::{Origins, SpanTable};
pub use patch::{Patch, PatchError};
pub use program::{
    Arg, Binding, Block, BlockId, Def, Function, FunctionId, NamedConstant, Op, OpId, Program, Value, ValueId,
};
pub use walk::{ops_in_order, uses, walk_blocks};
