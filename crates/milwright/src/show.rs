//! Diagnostics as text for people and JSON for programs, with the source or, without one, the op printed from the IR.

use crate::failure::Failure;
use crate::report::Report;
use mil_base::render::{self, Printed, Sources, Style};
use mil_base::{Diagnostic, Place};
use mil_ir::{OpId, Program};
use std::path::Path;

/// Everything needed to show diagnostics.
struct Shown<'a> {
    path: &'a Path,
    source: Option<&'a str>,
    program: Option<&'a Program>,
    diagnostics: &'a [Diagnostic],
}

impl Shown<'_> {
    fn with<T>(&self, work: impl FnOnce(&Sources<'_>) -> T) -> T {
        let file = self.path.display().to_string();
        let print = |place: &Place| printed(self.program?, place);
        work(&Sources { file: &file, text: self.source, op: Some(&print) })
    }

    fn text(&self, color: bool) -> String {
        self.with(|sources| {
            render::text(self.diagnostics, sources, &Style { colour: color, ..Style::default() })
        })
    }

    fn records(&self) -> Vec<render::JsonDiagnostic> {
        self.with(|sources| render::records(self.diagnostics, sources))
    }
}

/// The op at a place, on one line.
fn printed(program: &Program, place: &Place) -> Option<Printed> {
    let id = program.function(place.function.as_ref()?)?;
    let function = program.functions.get(id)?;
    let op = OpId::from_index(place.op? as usize);
    function.ops.get(op)?;
    let (text, underline) = mil_codec::text::print_op(program, function, op, place.argument.as_deref());
    Some(Printed { text, underline })
}

impl Failure {
    /// All diagnostics with their source, for a terminal.
    pub fn text(&self, color: bool) -> String {
        self.shown().text(color)
    }

    /// All diagnostics in their form for other programs, sorted by place.
    pub fn records(&self) -> Vec<render::JsonDiagnostic> {
        self.shown().records()
    }

    fn shown(&self) -> Shown<'_> {
        Shown {
            path: &self.path,
            source: self.source.as_deref(),
            program: None,
            diagnostics: &self.diagnostics,
        }
    }

    /// Is the reason only that Milwright does not know an op (yet), and nothing the user did?
    pub fn is_unsupported(&self) -> bool {
        let mut errors = self.diagnostics.iter().filter(|d| d.is_error()).peekable();
        errors.peek().is_some() && errors.all(|d| d.code == mil_check::codes::UNKNOWN_OP)
    }
}

impl Report {
    /// All diagnostics with their source, for a terminal. Empty if there are none.
    pub fn text(&self, color: bool) -> String {
        self.shown().text(color)
    }

    /// All diagnostics in their form for other programs, sorted by place.
    pub fn records(&self) -> Vec<render::JsonDiagnostic> {
        self.shown().records()
    }

    fn shown(&self) -> Shown<'_> {
        Shown {
            path: &self.path,
            source: self.source.as_deref(),
            program: self.program.as_deref(),
            diagnostics: &self.diagnostics,
        }
    }

    /// The diagnostics of several programs as one JSON array; the format is that of [`mil_base::render::JsonDiagnostic`].
    pub fn json(reports: &[Report]) -> String {
        let all: Vec<_> = reports.iter().flat_map(|r| r.shown().records()).collect();
        render::json(&all)
    }
}
