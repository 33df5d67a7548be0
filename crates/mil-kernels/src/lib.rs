//! CPU kernels over plain slices: no graph, no op, no IR.
//!
//! **What it must never know:** what a MIL op is, what a program is. It may use `mil-base` for dtypes and fp16 only.
//! This is one of the few places where `unsafe` is allowed; every block says why it is sound.
//!
//! **How it is used.** At plan time a card builds a small plan for known shapes ([`Matmul`], [`Conv`], [`Softmax`],
//! [`Reduce`], [`Broadcast`], [`StridedCopy`], ..) and asks it for `scratch_bytes(threads)`. At run time `run` takes
//! slices, scratch of that size (64-byte aligned) and the [`Pool`], and allocates nothing.
//!
//! | module | what it holds |
//! |---|---|
//! | [`pool`] | [`Pool`]: threads, `for_ranges`, `enter` |
//! | [`view`] | [`bytes_as`], [`bytes_as_mut`], [`Floats`], [`FloatsMut`]: typed views of byte buffers |
//! | [`float`] | [`Float`]: fp16 and fp32 elements; rounding between fused operations |
//! | [`gemm`] | [`Matmul`]: products with transposes, batches, an [`Epilogue`]; few rows are a memory-bound path |
//! | [`epilogue`] | [`Epilogue`], [`PostOp`]: steps applied to a finished tile |
//! | [`conv`] | [`Conv`], [`ConvTranspose`]: 1, 2 and 3 spatial dimensions, groups, dilation |
//! | [`unary`], [`binary`], [`cast`] | elementwise functions, broadcasting, comparisons, select, conversions |
//! | [`softmax`], [`norm`], [`reduce`] | along axes |
//! | [`pooling`], [`resize`], [`scan`] | windows, upsampling, cumulative sums |
//! | [`quantize`] | [`Affine`]: to 8-bit integers and back |
//! | [`expand`] | compressed weights: tables, blocks with scales, masks |
//! | [`copy`] | permute, strided copies, pad |
//! | [`window`] | [`Window`]: geometry shared by convolution and pooling |
//! | [`recurrent`] | lstm, gru and rnn cells along a sequence |
//! | [`attention`] | scaled dot-product attention, tiled |
//!
//! **Numerics.** fp32 computes in fp32. fp16 is stored as fp16, computed in fp32, and rounded to nearest even once per
//! operation. Integers are exact and wrap.
//!
//! **Where to start reading:** [`unary`] for the shape of a simple kernel, [`simd`] for how loops are vectorised,
//! [`gemm`] for the engine that matmul, linear, convolution and attention share.

pub mod attention;
pub mod binary;
pub mod cast;
pub mod conv;
pub mod copy;
pub mod epilogue;
pub mod expand;
pub mod float;
pub mod gemm;
pub mod math;
pub mod norm;
pub mod pool;
pub mod pooling;
pub mod quantize;
pub mod recurrent;
pub mod reduce;
pub mod resize;
pub mod scan;
pub mod simd;
pub mod softmax;
pub mod strided;
#[cfg(test)]
mod testing;
mod transpose;
pub mod unary;
pub mod view;
pub mod window;

pub use attention::{Attention, Mask};
pub use binary::{Binary, Broadcast, Compare, Logical, Select};
pub use conv::{Conv, ConvSpec, ConvTranspose};
pub use copy::{Pad, PadMode, StridedCopy};
pub use epilogue::{Along, Epilogue, PostOp, Then};
pub use float::Float;
pub use gemm::{Matmul, MatmulSpec};
pub use norm::LayerNorm;
pub use pool::Pool;
pub use pooling::{Pooling, WindowPool};
pub use quantize::Affine;
pub use reduce::{Reduce, Reduction};
pub use scan::Scan;
pub use softmax::Softmax;
pub use unary::{IntUnary, Unary};
pub use view::{Floats, FloatsMut, bytes_as, bytes_as_mut};
pub use window::{Window, WindowSpec};
