//! Joins programs into one function: outputs of earlier programs feed inputs of later ones.
//!
//! - **Inputs** are fed by the latest earlier output of the same name, or as a [`Bind`] says. One that nothing feeds stays
//!   an input; such inputs of the same name, type and flexibility are one input, because one name means one thing.
//! - **States** are never joined: every program keeps its own.
//! - **Outputs** are those of the last program and those of the others that feed nothing, or as [`LinkOptions`] says.
//! - **Names** stay; where two things want the same one, inputs go before outputs, outputs of the last program before
//!   others, and all of them before inner values. Whoever comes too late is called `NAME_2`, after its program's position.
//! - **Weights** are handed on as they are. Files of the same path with different content get different paths.
//! - **The op set** is the newest of the programs; every op is checked again in it.

mod assemble;
mod bind;
mod fit;
mod inputs;
mod names;
mod ports;
mod shapes;
mod weights;
mod wiring;

pub use bind::{Bind, program_of};

use assemble::assemble;
use mil_base::{DType, Diagnostic, Label, Name, Opset, Place};
use mil_check::{Checked, Target, check};
use mil_ir::{Function, FunctionId, OpId, Origins};

/// One of the programs to be joined.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// What bindings call it: its file without folder and ending. Several may have the same.
    pub name: &'a str,
    /// What messages call it.
    pub file: &'a str,
    /// The program.
    pub checked: &'a Checked,
    /// The function of it that is taken; of this program.
    pub function: FunctionId,
}

impl<'a> Part<'a> {
    pub(crate) fn function(&self) -> &'a Function {
        &self.checked.program().functions[self.function]
    }
}

/// How programs are joined. A port is written `NAME`, or `PROGRAM:NAME` with the program's name or its position from 1.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct LinkOptions {
    /// Outputs and the inputs they feed, besides those of the same name.
    pub binds: Vec<Bind>,
    /// Inputs that stay inputs of their own: no output of the same name feeds them, and no other input shares them.
    pub separate: Vec<String>,
    /// Outputs that are kept although they feed an input.
    pub keep: Vec<String>,
    /// The outputs, all and in this order.
    pub outputs: Option<Vec<String>>,
    /// Convert between float types, and between integer types, where an output and its input differ.
    pub cast: bool,
}

/// Programs joined into one, and what became of their ports.
#[derive(Clone, Debug)]
pub struct Linked {
    /// The program: one function, `main`.
    pub checked: Checked,
    /// For each program, for each parameter of its function, where its value comes from.
    pub feeds: Vec<Vec<Feed>>,
    /// For each parameter of the linked function, the first program it is a parameter of.
    pub params: Vec<Origin>,
    /// For each output of the linked function, where it comes from.
    pub outputs: Vec<Origin>,
    /// What looked odd, none of it an error.
    pub warnings: Vec<Problem>,
}

/// Where the value of a program's parameter comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Feed {
    /// An output of an earlier program, converted if a type is said.
    Output(Origin, Option<DType>),
    /// The parameter of the linked function with this number: an input or a state.
    Param(usize),
}

/// A parameter or output of one of the programs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Origin {
    /// The number of the program.
    pub part: usize,
    /// The number of the parameter or output.
    pub port: usize,
}

/// A diagnostic about one of the programs; its labels are places of that program.
#[derive(Clone, PartialEq, Debug)]
pub struct Problem {
    /// The number of the program.
    pub part: usize,
    /// What is wrong.
    pub diagnostic: Diagnostic,
}

impl Problem {
    /// A diagnostic at a parameter or output of a program, or at its function.
    fn new(parts: &[Part<'_>], part: usize, port: Option<&Name>, diagnostic: Diagnostic) -> Problem {
        let function = parts.get(part).map(|p| p.function().name.clone());
        let place = Place { function, argument: port.cloned(), ..Place::default() };
        Problem { part, diagnostic: diagnostic.label(Label::place(place, "")) }
    }
}

/// Joins programs, given in the order in which they run.
///
/// Errors, all at once: those of [`crate::codes`] for ports that do not exist or do not fit, and those of
/// [`check`] for ops that the newest op set of the programs does not have as they stand.
pub fn link(parts: &[Part<'_>], options: &LinkOptions) -> Result<Linked, Vec<Problem>> {
    if parts.len() < 2 {
        let few = Diagnostic::error(crate::codes::TOO_FEW, "there is nothing to link")
            .help("give two programs or more, in the order in which they run");
        return Err(vec![Problem::new(parts, 0, None, few)]);
    }
    let (wiring, problems) = wiring::wire(parts, options);
    let (errors, mut warnings): (Vec<_>, Vec<_>) =
        problems.into_iter().partition(|p| p.diagnostic.is_error());
    if !errors.is_empty() {
        return Err(errors);
    }
    let opset = newest(parts);
    let assembled = assemble(parts, &wiring, opset);
    let assemble::Assembled { program, ops: origins, outputs, warnings: found } = assembled;
    warnings.extend(found);
    let target = Target::default();
    let checked = check(program, &Origins::default(), parts[0].checked.ops(), target).map_err(|found| {
        let errors = found.into_iter().filter(Diagnostic::is_error);
        errors.map(|d| refused(parts, &origins, opset, d)).collect::<Vec<_>>()
    })?;
    Ok(Linked { checked, feeds: wiring.feeds, params: wiring.params, outputs, warnings })
}

/// The newest op set of the programs.
fn newest(parts: &[Part<'_>]) -> Opset {
    parts.iter().map(|p| p.checked.opset(p.function)).max().unwrap_or(Opset::Ios15)
}

/// A mistake in the linked program as one of the program that its op comes from.
fn refused(
    parts: &[Part<'_>],
    origins: &[Option<(usize, OpId)>],
    opset: Opset,
    diagnostic: Diagnostic,
) -> Problem {
    let place = diagnostic.labels.first().map(|l| l.place.clone()).unwrap_or_default();
    let origin = place.op.and_then(|op| origins.get(op as usize).copied().flatten());
    let Some((part, op)) = origin else { return Problem { part: 0, diagnostic } };
    let (file, own) = (parts[part].file, parts[part].checked.opset(parts[part].function));
    let remedy = format!("make `{file}` for {opset}, or link it with programs for {own}");
    let (message, help) = match (own == opset, diagnostic.help) {
        (true, help) => (format!("once `{file}` is linked: {}", diagnostic.message), help),
        (false, help) => (
            format!(
                "{opset}, the newest op set of the programs, refuses an op of {own}: {}",
                diagnostic.message
            ),
            Some(help.map_or_else(|| remedy.clone(), |help| format!("{help}; or {remedy}"))),
        ),
    };
    let place = Place { argument: place.argument, ..parts[part].function().place(op) };
    let labels = vec![Label::place(place, "")];
    Problem { part, diagnostic: Diagnostic { message, labels, help, ..diagnostic } }
}
