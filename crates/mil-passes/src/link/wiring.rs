//! What is matched with what: the plan of the joined program, before anything is copied.

use super::fit::{Ends, fit};
use super::inputs::Inputs;
use super::ports::{Named, Ports, Side};
use super::{Bind, Feed, LinkOptions, Origin, Part, Problem};
use crate::codes;
use mil_base::{Diagnostic, Name};
use std::collections::HashSet;

/// Every parameter and output of the programs, and of the linked one.
#[derive(Default)]
pub(super) struct Wiring {
    pub(super) feeds: Vec<Vec<Feed>>,
    pub(super) params: Vec<Origin>,
    pub(super) outputs: Vec<Origin>,
}

/// Matches the ports of the programs. With an error among the problems the wiring is good for nothing.
pub(super) fn wire(parts: &[Part<'_>], options: &LinkOptions) -> (Wiring, Vec<Problem>) {
    let mut wirer = Wirer { parts, ports: Ports { parts }, options, problems: Vec::new() };
    let bound = wirer.bound();
    let separate = wirer.separate();
    let feeds = wirer.feeds(&bound, &separate);
    let outputs = wirer.outputs(&feeds);
    let Wirer { mut problems, .. } = wirer;
    let mut inputs = Inputs::new(parts, &separate);
    let feeds = feeds.into_iter().enumerate().map(|(part, row)| inputs.of_part(part, row)).collect();
    problems.extend(inputs.problems);
    (Wiring { feeds, params: inputs.params, outputs }, problems)
}

/// The output that a [`Bind`] hands to each parameter of each program.
type Bound<'o> = Vec<Vec<Option<(Origin, &'o Bind)>>>;

struct Wirer<'a> {
    parts: &'a [Part<'a>],
    ports: Ports<'a>,
    options: &'a LinkOptions,
    problems: Vec<Problem>,
}

impl<'a> Wirer<'a> {
    fn report(&mut self, part: usize, port: Option<&Name>, diagnostic: Diagnostic) {
        self.problems.push(Problem::new(self.parts, part, port, diagnostic));
    }

    /// A port as a user wrote it; one that does not exist is reported.
    fn named(&mut self, side: Side, text: &'a str) -> Option<Named<'a>> {
        self.ports.read(side, text).map_err(|problem| self.problems.push(problem)).ok()
    }

    /// What the bindings say. Those that name the program of the input come first: the others leave such inputs alone.
    fn bound(&mut self) -> Bound<'a> {
        let mut bound: Bound<'a> =
            self.parts.iter().map(|p| vec![None; p.function().params().len()]).collect();
        let mut general = Vec::new();
        let options = self.options;
        for bind in &options.binds {
            let output = self.named(Side::Output, &bind.output);
            let input = self.named(Side::Input, &bind.input);
            let (Some(output), Some(input)) = (output, input) else { continue };
            match input.part {
                Some(part) => self.bind(bind, output, part, input.name, &mut bound),
                None => general.push((bind, output, input.name)),
            }
        }
        let specific = bound.clone();
        for (bind, output, name) in general {
            let takes = |part: &usize| self.ports.find(Side::Input, *part, name).is_some();
            let with_input: Vec<usize> = (0..self.parts.len()).filter(takes).collect();
            let gives = |part: usize| self.ports.output_before(output, part).is_some();
            let fed: Vec<usize> = with_input.iter().copied().filter(|&part| gives(part)).collect();
            // Without a later program that takes it, the first that has the input says what is wrong.
            let fed = if fed.is_empty() { with_input.into_iter().take(1).collect() } else { fed };
            for part in fed {
                let at = self.ports.find(Side::Input, part, name);
                if at.is_none_or(|at| specific[at.part][at.port].is_none()) {
                    self.bind(bind, output, part, name, &mut bound);
                }
            }
        }
        bound
    }

    /// One output to one input.
    fn bind(&mut self, bind: &'a Bind, output: Named<'a>, taker: usize, input: &str, bound: &mut Bound<'a>) {
        let Some(to) = self.ports.find(Side::Input, taker, input) else { return };
        let name = self.ports.param(to).0;
        let Some(from) = self.ports.output_before(output, taker) else {
            let file = self.parts[taker].file;
            let message = format!("`{bind}`: no program before `{file}` gives `{}`", output.name);
            let help = "give the programs in the order in which they run";
            return self.report(taker, Some(name), Diagnostic::error(codes::ORDER, message).help(help));
        };
        if let Some((_, other)) = bound[to.part][to.port].replace((from, bind)) {
            let file = self.parts[taker].file;
            let message = format!("`{other}` and `{bind}` both feed `{input}` of `{file}`");
            let help = format!("remove one; `{}:{input}` means this input alone", taker + 1);
            self.report(taker, Some(name), Diagnostic::error(codes::BOUND_TWICE, message).help(help));
        }
    }

    /// The inputs that are to stay alone.
    fn separate(&mut self) -> HashSet<Origin> {
        let mut separate = HashSet::new();
        let options = self.options;
        for text in &options.separate {
            let Some(Named { part, name }) = self.named(Side::Input, text) else { continue };
            let parts = part.map_or(0..self.parts.len(), |part| part..part + 1);
            separate.extend(parts.filter_map(|part| self.ports.find(Side::Input, part, name)));
        }
        separate
    }

    /// For each parameter of each program the output that feeds it, if one does.
    fn feeds(&mut self, bound: &Bound<'a>, separate: &HashSet<Origin>) -> Vec<Vec<Option<Feed>>> {
        let mut feeds = Vec::with_capacity(self.parts.len());
        for (part, bound) in bound.iter().enumerate() {
            let mut row: Vec<Option<Feed>> = vec![None; bound.len()];
            for (to, name) in self.ports.inputs(part) {
                let from = bound[to.port].map(|(from, _)| from);
                let same_name = || match separate.contains(&to) {
                    true => None,
                    false => self.ports.latest_output(name, part),
                };
                if let Some(from) = from.or_else(same_name) {
                    row[to.port] = self.feed(from, to);
                }
            }
            feeds.push(row);
        }
        self.unconnected(&feeds);
        feeds
    }

    fn ends(&self, from: Origin, to: Origin) -> Ends<'a> {
        let (giver, taker) = (&self.parts[from.part], &self.parts[to.part]);
        let function = giver.function();
        let value = function.outputs()[from.port];
        let given = giver.checked.ty(giver.function, value).unwrap_or(&function.values[value].ty);
        let (input, wanted) = self.ports.param(to);
        Ends { giver, output: &function.values[value].name, given, taker, input, wanted }
    }

    fn feed(&mut self, from: Origin, to: Origin) -> Option<Feed> {
        let ends = self.ends(from, to);
        match fit(&ends, self.options.cast) {
            Ok(cast) => Some(Feed::Output(from, cast)),
            Err(diagnostic) => {
                self.report(to.part, Some(ends.input), diagnostic);
                None
            }
        }
    }

    /// Warns about programs that nothing connects with the others.
    fn unconnected(&mut self, feeds: &[Vec<Option<Feed>>]) {
        if !self.problems.is_empty() {
            return;
        }
        let mut connected = vec![false; self.parts.len()];
        for (part, row) in feeds.iter().enumerate() {
            for feed in row.iter().flatten() {
                if let Feed::Output(from, _) = feed {
                    connected[part] = true;
                    connected[from.part] = true;
                }
            }
        }
        for part in (1..self.parts.len()).filter(|&part| !connected[part]) {
            let file = self.parts[part].file;
            let message = format!("nothing goes from the other programs to `{file}`, or from it to them");
            let help = match self.suggestion(part) {
                Some(bind) => format!("`--bind {bind}` would feed it"),
                None => "name an output and the input that it feeds with --bind".to_owned(),
            };
            self.report(part, None, Diagnostic::warning(codes::UNCONNECTED, message).help(help));
        }
    }

    /// A binding whose types fit, from the program before.
    fn suggestion(&self, part: usize) -> Option<String> {
        let before = part.checked_sub(1)?;
        let outputs =
            (0..self.parts[before].function().outputs().len()).map(|port| Origin { part: before, port });
        for from in outputs {
            let fits = |to: Origin| matches!(fit(&self.ends(from, to), false), Ok(None));
            if let Some((_, input)) = self.ports.inputs(part).find(|(to, _)| fits(*to)) {
                return Some(format!("{}:{}={}:{input}", before + 1, self.ports.output_name(from), part + 1));
            }
        }
        None
    }

    /// The outputs of the linked program.
    fn outputs(&mut self, feeds: &[Vec<Option<Feed>>]) -> Vec<Origin> {
        let options = self.options;
        let mut chosen = Vec::new();
        let named = options.outputs.as_ref().unwrap_or(&options.keep);
        for text in named {
            if let Some(named) = self.named(Side::Output, text) {
                chosen.extend(self.ports.output_before(named, self.parts.len()));
            }
        }
        let mut seen = HashSet::new();
        if options.outputs.is_some() {
            chosen.retain(|at| seen.insert(*at));
            return chosen;
        }
        let chosen: HashSet<Origin> = chosen.into_iter().collect();
        let fed = feeds.iter().flatten().flatten();
        let used: HashSet<Origin> = fed
            .filter_map(|feed| match feed {
                Feed::Output(from, _) => Some(*from),
                Feed::Param(_) => None,
            })
            .collect();
        let mut outputs = Vec::new();
        for (part, p) in self.parts.iter().enumerate() {
            let all = (0..p.function().outputs().len()).map(|port| Origin { part, port });
            outputs.extend(all.filter(|at| !used.contains(at) || chosen.contains(at)));
        }
        outputs
    }
}
