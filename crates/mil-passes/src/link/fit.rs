//! Can an output be handed to an input, and what to do if not.

use super::Part;
use crate::codes;
use mil_base::{DType, Diagnostic, Name, TensorType, Type};

/// The two ends of a wire.
pub(super) struct Ends<'a> {
    pub(super) giver: &'a Part<'a>,
    pub(super) output: &'a Name,
    pub(super) given: &'a Type,
    pub(super) taker: &'a Part<'a>,
    pub(super) input: &'a Name,
    pub(super) wanted: &'a Type,
}

/// May `--cast` convert the one to the other? Between floats, and between integers: anything else is a computation that
/// a program should show.
pub(super) fn castable(from: DType, to: DType) -> bool {
    (from.is_float() && to.is_float()) || (from.is_int() && to.is_int())
}

/// The type to convert to, if the output fits the input; else what is wrong.
pub(super) fn fit(ends: &Ends<'_>, cast: bool) -> Result<Option<DType>, Diagnostic> {
    let (Some(given), Some(wanted)) = (ends.given.as_tensor(), ends.wanted.as_tensor()) else {
        let help = format!("bind another output to `{}`", ends.input);
        return Err(Diagnostic::error(codes::KIND, ends.sentence()).help(help));
    };
    if !given.shape.may_equal(&wanted.shape) {
        return Err(Diagnostic::error(codes::SHAPE, ends.sentence()).help(ends.reshaping(given, wanted)));
    }
    let (from, to) = (given.dtype, wanted.dtype);
    match (from == to, castable(from, to)) {
        (true, _) => Ok(None),
        (false, true) if cast => Ok(Some(to)),
        (false, true) => Err(Diagnostic::error(codes::DTYPE, ends.sentence())
            .help(format!("use --cast to insert a `cast` to {to} between the two, or bind another output"))),
        (false, false) => Err(Diagnostic::error(codes::DTYPE, ends.sentence()).help(format!(
            "bind another output; if {from} is to become {to}, say how in one of the programs (`cast`)"
        ))),
    }
}

impl Ends<'_> {
    fn sentence(&self) -> String {
        let Ends { giver, output, given, taker, input, wanted } = self;
        let (giver, taker) = (giver.file, taker.file);
        format!("`{taker}` takes `{input}` as {wanted}, but `{giver}` gives `{output}` as {given}")
    }

    fn reshaping(&self, given: &TensorType, wanted: &TensorType) -> String {
        let (giver, output, input) = (self.giver.file, self.output, self.input);
        let counts = given.shape.count().zip(wanted.shape.count());
        if counts.is_some_and(|(a, b)| a == b) {
            return format!(
                "the number of elements is the same: end `{giver}` with a `reshape` (or `transpose`) of `{output}` to {}",
                wanted.shape
            );
        }
        format!("bind another output to `{input}`, or keep it an input with --separate {input}")
    }
}
