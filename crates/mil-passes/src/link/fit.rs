//! Can an output be handed to an input, and what to do if not.

use super::Part;
use crate::codes;
use mil_base::{DType, Diagnostic, Name, Shape, Type};

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
    let (Some((from, given)), Some((to, wanted))) = (tensor(ends.given), tensor(ends.wanted)) else {
        let help = format!("bind another output to `{}`", ends.input);
        return Err(Diagnostic::error(codes::KIND, ends.sentence()).help(help));
    };
    if let (Some(given), Some(wanted)) = (given, wanted)
        && !given.may_equal(wanted)
    {
        return Err(Diagnostic::error(codes::SHAPE, ends.sentence()).help(ends.reshaping(given, wanted)));
    }
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

/// The element type of a tensor, and its shape if its rank is known.
fn tensor(ty: &Type) -> Option<(DType, Option<&Shape>)> {
    match ty {
        Type::Tensor(t) => Some((t.dtype, Some(&t.shape))),
        Type::Unranked(dtype) => Some((*dtype, None)),
        _ => None,
    }
}

impl Ends<'_> {
    fn sentence(&self) -> String {
        let Ends { giver, output, given, taker, input, wanted } = self;
        let (giver, taker) = (giver.file, taker.file);
        format!("`{taker}` takes `{input}` as {wanted}, but `{giver}` gives `{output}` as {given}")
    }

    fn reshaping(&self, given: &Shape, wanted: &Shape) -> String {
        let (giver, output, input) = (self.giver.file, self.output, self.input);
        let counts = given.count().zip(wanted.count());
        if counts.is_some_and(|(a, b)| a == b) {
            return format!(
                "the number of elements is the same: end `{giver}` with a `reshape` (or `transpose`) of `{output}` to {wanted}"
            );
        }
        format!("bind another output to `{input}`, or keep it an input with --separate {input}")
    }
}
