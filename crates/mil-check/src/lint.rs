//! Advice about programs that are right: what a lint is, how they are switched on and off, and running them.

use crate::check::Checked;
use crate::lints;
use crate::locate::locate;
use mil_base::{DType, Diagnostic, Label, Name, Place, Severity, sort_by_place};
use mil_ir::{Binding, Function, FunctionId, OpId, Origins, Program, ValueId};
use std::collections::BTreeMap;

/// What happens when a lint finds something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// Nothing: it is not run.
    Allow,
    /// A warning.
    Warn,
    /// An error.
    Deny,
}

/// One lint: a card like those of ops, with its page `name.md` beside it.
pub struct Lint {
    /// The code of its diagnostics, `lint/unused-value`.
    pub code: &'static str,
    /// What it finds, in one line.
    pub summary: &'static str,
    /// The level it has when nothing else is said.
    pub level: Level,
    /// The page: why, when not, and programs that it passes and that it warns about.
    pub page: &'static str,
    /// Looks at a whole program.
    pub run: fn(&mut LintCx<'_>),
}

/// Levels that differ from the lints' own.
#[derive(Clone, Default, Debug)]
pub struct Levels {
    changed: BTreeMap<&'static str, Level>,
}

impl Levels {
    /// The lints' own levels.
    pub fn new() -> Levels {
        Levels::default()
    }

    /// Every lint at this level.
    pub fn all(level: Level) -> Levels {
        Levels { changed: lints::ALL.iter().map(|l| (l.code, level)).collect() }
    }

    /// Changes one lint, named `lint/unused-value` or `unused-value`. Error: the lints whose names are near, if there is none
    /// of this name.
    pub fn set(&mut self, name: &str, level: Level) -> Result<(), Vec<&'static str>> {
        let names = || lints::ALL.iter().map(|l| l.code);
        let full = format!("lint/{}", name.trim_start_matches("lint/"));
        match names().find(|n| *n == full) {
            Some(code) => {
                self.changed.insert(code, level);
                Ok(())
            }
            None => Err(crate::nearest(&full, names())),
        }
    }

    /// The level of a lint.
    pub fn of(&self, lint: &Lint) -> Level {
        self.changed.get(lint.code).copied().unwrap_or(lint.level)
    }
}

/// What every lint that is not allowed finds, sorted by place, with spans from `origins` where it has them.
pub fn lint(checked: &Checked, origins: &Origins, levels: &Levels) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for lint in lints::ALL {
        let severity = match levels.of(lint) {
            Level::Allow => continue,
            Level::Warn => Severity::Warning,
            Level::Deny => Severity::Error,
        };
        let mut cx = LintCx { checked, lint, severity, found: Vec::new() };
        (lint.run)(&mut cx);
        diagnostics.append(&mut cx.found);
    }
    locate(&mut diagnostics, checked.program(), origins);
    sort_by_place(&mut diagnostics);
    diagnostics
}

/// What a lint sees and how it reports.
pub struct LintCx<'a> {
    /// The program, with types and known values.
    pub checked: &'a Checked,
    lint: &'static Lint,
    severity: Severity,
    found: Vec<Diagnostic>,
}

impl<'a> LintCx<'a> {
    /// The program.
    pub fn program(&self) -> &'a Program {
        self.checked.program()
    }

    /// The functions.
    pub fn functions(&self) -> impl Iterator<Item = (FunctionId, &'a Function)> + use<'a> {
        self.checked.program().functions.iter()
    }

    /// Every op that is executed, nested ones included.
    pub fn ops(&self) -> Vec<(FunctionId, OpId)> {
        let ops = |(f, function): (FunctionId, &Function)| {
            mil_ir::ops_in_order(function).into_iter().map(move |op| (f, op))
        };
        self.functions().flat_map(ops).collect()
    }

    /// The element type of a value, if it is a tensor.
    pub fn dtype(&self, function: FunctionId, value: ValueId) -> Option<DType> {
        self.checked.ty(function, value)?.as_tensor().map(|t| t.dtype)
    }

    /// The values an op is given, in order.
    pub fn inputs(&self, function: FunctionId, op: OpId) -> impl Iterator<Item = ValueId> + use<'a> {
        let args = &self.program().functions[function].ops[op].args;
        args.iter().flat_map(|(_, a)| &a.0).filter_map(|b| match b {
            Binding::Value(v) => Some(*v),
            Binding::Constant(_) => None,
        })
    }

    /// Reports about an op, or about an argument or output of it.
    pub fn op(
        &mut self,
        function: FunctionId,
        op: OpId,
        argument: Option<&Name>,
        message: String,
        help: &str,
    ) {
        let place = self.program().place(function, op);
        self.push(Place { argument: argument.cloned(), ..place }, message, help);
    }

    /// Reports about an input or output of a function.
    pub fn port(&mut self, function: FunctionId, value: ValueId, message: String, help: &str) {
        let f = &self.program().functions[function];
        let argument = Some(f.values[value].name.clone());
        let place = Place { function: Some(f.name.clone()), argument, ..Place::default() };
        self.push(place, message, help);
    }

    /// Reports about the program as a whole.
    pub fn whole(&mut self, message: String, help: &str) {
        self.found.push(Diagnostic::new(self.severity, self.lint.code, message).help(help));
    }

    fn push(&mut self, place: Place, message: String, help: &str) {
        let diagnostic = Diagnostic::new(self.severity, self.lint.code, message);
        self.found.push(diagnostic.label(Label::place(place, "")).help(help));
    }
}
