//! Diagnostics for people ([`text()`]) and for programs ([`json()`]).
//!
//! This crate knows neither files nor the IR, so whoever renders says what the places stand for: [`Sources`].

mod excerpt;
mod json;
mod text;

pub use json::{JsonDiagnostic, JsonLabel, json, records};
pub use text::{Style, summary, text};

use crate::diagnostic::Place;
use std::ops::Range;

/// Prints the op at a place of a program.
pub type PrintOp<'a> = dyn Fn(&Place) -> Option<Printed> + 'a;

/// What the places of diagnostics stand for.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// The name of the file, as the user gave it.
    pub file: &'a str,
    /// The text that spans point into; nothing for programs that were not read from text.
    pub text: Option<&'a str>,
    /// Prints the op at a place, for programs without text.
    pub op: Option<&'a PrintOp<'a>>,
}

impl<'a> Sources<'a> {
    /// A text file.
    pub fn text(file: &'a str, text: &'a str) -> Sources<'a> {
        Sources { file, text: Some(text), op: None }
    }

    /// A program without text, whose ops are printed by `op`.
    pub fn program(file: &'a str, op: &'a PrintOp<'a>) -> Sources<'a> {
        Sources { file, text: None, op: Some(op) }
    }
}

/// An op printed from the IR.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Printed {
    /// The op as MIL text, of one or more lines.
    pub text: String,
    /// What to underline: the argument, or the name of the op.
    pub underline: Range<usize>,
}
