//! Milwright: read, write, check and run MIL, the language of Core ML's ML Programs.
//!
//! This crate is the only stable surface of the workspace, and the only one besides the programs built on it that
//! touches files: it opens and memory-maps them and hands bytes to the other crates.
//!
//! ```no_run
//! let opened = milwright::open("model.mlpackage")?;
//! for (_, function) in opened.program.functions.iter() {
//!     println!("{} has {} ops", function.name, function.ops.len());
//! }
//! # Ok::<(), milwright::Failure>(())
//! ```
//!
//! **What it must never know:** how a format is laid out, what an op means, how a program is run.
//!
//! **Where to start reading:** [`open()`] for what can be read, [`npz`] for inputs and outputs.

mod bench;
pub mod codes;
mod disk;
mod explain;
mod failure;
mod fill;
mod image;
mod inspect;
mod link;
mod machine;
mod map;
mod model;
pub mod npz;
mod open;
mod outline;
mod pipeline;
mod ranking;
mod report;
mod save;
mod show;
mod summary;
mod text;
mod verify;

pub use bench::{Measured, StepShare, bench, bench_steps};
pub use explain::{Topic, explain, topics};
pub use failure::Failure;
pub use fill::{Fill, Random, fresh_seed};
pub use image::{Pixels, Sizing};
pub use inspect::{FunctionInfo, Weights, inspect, memory};
pub use link::{ChainCheck, Link, Wire, link};
pub use model::{LoadOptions, Model, Port, RuntimeKind, Session};
pub use open::{Description, Kind, OpenOptions, Opened, open, open_text, open_with};
pub use outline::{BlockOutline, FunctionOutline, OpOutline, outline};
pub use pipeline::Pipeline;
pub use ranking::Ranking;
pub use report::{Report, check};
pub use save::{SaveOptions, TextWeights, save};
pub use summary::Summary;
pub use text::{format, text, write_text};
pub use verify::Comparison;

pub use mil_apple::Kind as AppleRuntime;
pub use mil_apple::worker::serve as serve_worker;
pub use mil_base::render::{JsonDiagnostic, JsonLabel};
pub use mil_base::{DType, Diagnostic, Name, Opset, Severity, Tensor, TensorType, Type};
pub use mil_check::Checked;
pub use mil_codec::package::PipelineKind;
pub use mil_codec::package::{
    ArrayFeature, Colors, Feature, FeatureKind, Flexibility, ImageFeature, Interface,
};
pub use mil_passes::{Bind, LinkOptions};
pub use mil_run::{
    Claim, Deviation, Device, Ground, HeldWeights, OutputCheck, Placement, PlanMemory,
    Report as Verification, RunError, StepCheck, bytes as format_bytes,
};
