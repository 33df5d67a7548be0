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

mod disk;
mod failure;
mod map;
pub mod npz;
mod open;
mod save;

pub use failure::Failure;
pub use open::{Description, Kind, OpenOptions, Opened, open, open_text, open_with};
pub use save::{SaveOptions, save};

pub use mil_base::{DType, Diagnostic, Severity, Tensor};
pub use mil_codec::package::{
    ArrayFeature, Colors, Feature, FeatureKind, Flexibility, ImageFeature, Interface,
};
