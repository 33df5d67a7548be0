//! The parameters of the linked program: what nothing feeds, one for inputs that mean the same thing.

use super::ports::Ports;
use super::{Feed, Origin, Part, Problem};
use crate::codes;
use mil_base::{Diagnostic, Type};
use mil_check::Flexibility;
use std::collections::HashSet;

/// The parameters so far.
pub(super) struct Inputs<'a> {
    parts: &'a [Part<'a>],
    ports: Ports<'a>,
    separate: &'a HashSet<Origin>,
    flexible: Vec<Flexibility>,
    pub(super) params: Vec<Origin>,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Inputs<'a> {
    pub(super) fn new(parts: &'a [Part<'a>], separate: &'a HashSet<Origin>) -> Inputs<'a> {
        let flexible = parts.iter().map(|p| Flexibility::of(p.function())).collect();
        let ports = Ports { parts };
        Inputs { parts, ports, separate, flexible, params: Vec::new(), problems: Vec::new() }
    }

    /// Where each parameter of a program has its value from: what feeds it, or a parameter here.
    pub(super) fn of_part(&mut self, part: usize, row: Vec<Option<Feed>>) -> Vec<Feed> {
        let ports = row.into_iter().enumerate();
        ports
            .map(|(port, feed)| feed.unwrap_or_else(|| Feed::Param(self.param(Origin { part, port }))))
            .collect()
    }

    fn param(&mut self, at: Origin) -> usize {
        if let Some(shared) = self.shared(at) {
            return shared;
        }
        self.params.push(at);
        self.params.len() - 1
    }

    /// The earlier parameter that means the same thing. States never do.
    fn shared(&mut self, at: Origin) -> Option<usize> {
        let (name, ty) = self.ports.param(at);
        if matches!(ty, Type::State(_)) || self.separate.contains(&at) {
            return None;
        }
        let mut named = (0..self.params.len()).filter(|&i| {
            let other = self.params[i];
            other.part != at.part && self.ports.param(other).0 == name && !self.separate.contains(&other)
        });
        let first = named.next()?;
        if let Some(found) = std::iter::once(first).chain(named).find(|&i| self.alike(at, self.params[i])) {
            return Some(found);
        }
        let other = self.params[first];
        let (mine, others) = (self.parts[at.part].file, self.parts[other.part].file);
        let theirs = self.ports.param(other).1;
        let difference = match theirs == ty {
            true => "other sizes are allowed".to_owned(),
            false => format!("it is {theirs}"),
        };
        let message =
            format!("`{name}` of `{mine}` is {ty}, but of `{others}` {difference}: they stay two inputs");
        let help = format!("say --separate {name} if that is meant");
        let warning = Diagnostic::warning(codes::SAME_NAME, message).help(help);
        self.problems.push(Problem::new(self.parts, at.part, Some(name), warning));
        None
    }

    /// Have two inputs of one name the same type and the same shapes to choose from?
    fn alike(&self, a: Origin, b: Origin) -> bool {
        let (name, ty) = self.ports.param(a);
        let (of_a, of_b) = (&self.flexible[a.part], &self.flexible[b.part]);
        self.ports.param(b).1 == ty
            && of_a.default_shape(name) == of_b.default_shape(name)
            && of_a.ranges_of(name) == of_b.ranges_of(name)
    }
}
