//! The parameters and outputs of the programs, by name and as users write them.

use super::{Origin, Part, Problem, bind};
use crate::codes;
use mil_base::{Diagnostic, Name, Type};
use mil_check::nearest;
use std::collections::HashSet;

/// What kind of port is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// A parameter that is no state.
    Input,
    Output,
}

/// A port as a user wrote it: in one program, or in whichever has it.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) part: Option<usize>,
    pub(super) name: &'a str,
}

/// The ports of all programs.
#[derive(Clone, Copy)]
pub(super) struct Ports<'a> {
    pub(super) parts: &'a [Part<'a>],
}

impl<'a> Ports<'a> {
    pub(super) fn param(&self, at: Origin) -> (&'a Name, &'a Type) {
        let function = self.parts[at.part].function();
        let value = &function.values[function.params()[at.port]];
        (&value.name, &value.ty)
    }

    pub(super) fn output_name(&self, at: Origin) -> &'a Name {
        let function = self.parts[at.part].function();
        &function.values[function.outputs()[at.port]].name
    }

    /// The inputs of a program, states left out.
    pub(super) fn inputs(&self, part: usize) -> impl Iterator<Item = (Origin, &'a Name)> + use<'a> {
        let function = self.parts[part].function();
        let params = function.params().iter().enumerate().map(move |(port, &v)| (port, &function.values[v]));
        let inputs = params.filter(|(_, value)| !matches!(value.ty, Type::State(_)));
        inputs.map(move |(port, value)| (Origin { part, port }, &value.name))
    }

    fn outputs(&self, part: usize) -> impl Iterator<Item = (Origin, &'a Name)> + use<'a> {
        let function = self.parts[part].function();
        let outputs = function.outputs().iter().enumerate();
        outputs.map(move |(port, &v)| (Origin { part, port }, &function.values[v].name))
    }

    pub(super) fn find(&self, side: Side, part: usize, name: &str) -> Option<Origin> {
        let found = match side {
            Side::Input => self.inputs(part).find(|(_, n)| **n == *name),
            Side::Output => self.outputs(part).find(|(_, n)| **n == *name),
        };
        found.map(|(at, _)| at)
    }

    /// The output of that name of the latest program before `end`.
    pub(super) fn latest_output(&self, name: &str, end: usize) -> Option<Origin> {
        (0..end).rev().find_map(|part| self.find(Side::Output, part, name))
    }

    /// The output that is meant, if its program is before `end`.
    pub(super) fn output_before(&self, named: Named<'_>, end: usize) -> Option<Origin> {
        match named.part {
            Some(part) if part < end => self.find(Side::Output, part, named.name),
            Some(_) => None,
            None => self.latest_output(named.name, end),
        }
    }

    /// A port as a user wrote it, if there is such a port.
    pub(super) fn read(&self, side: Side, text: &'a str) -> Result<Named<'a>, Problem> {
        let anywhere = |name: &str| (0..self.parts.len()).any(|part| self.find(side, part, name).is_some());
        let read = bind::port(self.parts, text, anywhere);
        let (part, name) = read.map_err(|diagnostic| Problem::new(self.parts, 0, None, diagnostic))?;
        let exists = match part {
            Some(part) => self.find(side, part, name).is_some(),
            None => anywhere(name),
        };
        let named = Named { part, name };
        if exists { Ok(named) } else { Err(self.unknown(side, named)) }
    }

    fn unknown(&self, side: Side, Named { part, name }: Named<'_>) -> Problem {
        let (code, what) = match side {
            Side::Input => (codes::UNKNOWN_INPUT, "input"),
            Side::Output => (codes::UNKNOWN_OUTPUT, "output"),
        };
        let mut names: Vec<&str> = Vec::new();
        let mut seen = HashSet::new();
        for part in self.of(part) {
            match side {
                Side::Input => names.extend(self.inputs(part).map(|(_, n)| n.as_str())),
                Side::Output => names.extend(self.outputs(part).map(|(_, n)| n.as_str())),
            }
        }
        names.retain(|n| seen.insert(*n));
        let help = match nearest(name, names.iter().copied()).first() {
            Some(near) => format!("did you mean `{near}`?"),
            None if side == Side::Input && self.is_state(part, name) => {
                format!("`{name}` is a state; every program keeps its own, and nothing feeds it")
            }
            None if names.is_empty() => format!("there is no {what} at all"),
            None => format!("the {what}s are {}", names.join(", ")),
        };
        let message = match part {
            Some(part) => format!("`{}` has no {what} `{name}`", self.parts[part].file),
            None => format!("none of the programs has an {what} `{name}`"),
        };
        Problem::new(self.parts, part.unwrap_or(0), None, Diagnostic::error(code, message).help(help))
    }

    fn of(&self, part: Option<usize>) -> std::ops::Range<usize> {
        part.map_or(0..self.parts.len(), |part| part..part + 1)
    }

    fn is_state(&self, part: Option<usize>, name: &str) -> bool {
        let mut functions = self.of(part).map(|part| self.parts[part].function());
        functions.any(|f| {
            let mut states = f.params().iter().filter(|&&v| matches!(f.values[v].ty, Type::State(_)));
            states.any(|&v| f.values[v].name == *name)
        })
    }
}
