//! What is matched with what: the plan of the joined program, before anything is copied.

use super::fit::{Ends, fit};
use super::{Bind, Feed, LinkOptions, Origin, Part, Problem, bind};
use crate::codes;
use mil_base::{Diagnostic, Name, Type};
use mil_check::{Flexibility, nearest};
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
    let mut wirer = Wirer { parts, options, problems: Vec::new() };
    let bound = wirer.bound();
    let separate = wirer.separate();
    let feeds = wirer.feeds(&bound, &separate);
    let outputs = wirer.outputs(&feeds);
    let (feeds, params) = wirer.params(feeds, &separate);
    (Wiring { feeds, params, outputs }, wirer.problems)
}

/// The output that a [`Bind`] hands to each parameter of each program.
type Bound<'o> = Vec<Vec<Option<(Origin, &'o Bind)>>>;

struct Wirer<'a> {
    parts: &'a [Part<'a>],
    options: &'a LinkOptions,
    problems: Vec<Problem>,
}

impl<'a> Wirer<'a> {
    fn report(&mut self, part: usize, port: Option<&Name>, diagnostic: Diagnostic) {
        self.problems.push(Problem::new(self.parts, part, port, diagnostic));
    }

    fn param(&self, at: Origin) -> (&'a Name, &'a Type) {
        let function = self.parts[at.part].function();
        let value = &function.values[function.params()[at.port]];
        (&value.name, &value.ty)
    }

    fn output_name(&self, at: Origin) -> &'a Name {
        let function = self.parts[at.part].function();
        &function.values[function.outputs()[at.port]].name
    }

    /// The inputs of a program, states left out.
    fn inputs(&self, part: usize) -> impl Iterator<Item = (Origin, &'a Name)> + use<'a> {
        let function = self.parts[part].function();
        let params = function.params().iter().enumerate().map(move |(port, &v)| (port, &function.values[v]));
        let inputs = params.filter(|(_, value)| !matches!(value.ty, Type::State(_)));
        inputs.map(move |(port, value)| (Origin { part, port }, &value.name))
    }

    fn find_input(&self, part: usize, name: &str) -> Option<Origin> {
        self.inputs(part).find(|(_, n)| **n == *name).map(|(at, _)| at)
    }

    fn find_output(&self, part: usize, name: &str) -> Option<Origin> {
        let function = self.parts[part].function();
        let port = function.outputs().iter().position(|&v| function.values[v].name == *name)?;
        Some(Origin { part, port })
    }

    /// The output of that name of the latest program before `end`.
    fn latest_output(&self, name: &str, end: usize) -> Option<Origin> {
        (0..end).rev().find_map(|part| self.find_output(part, name))
    }

    /// The program and name of an output as a user wrote it, if there is such an output; what is wrong is reported.
    fn output(&mut self, text: &'a str) -> Option<(Option<usize>, &'a str)> {
        let count = self.parts.len();
        let read = bind::port(self.parts, text, |name| self.latest_output(name, count).is_some());
        let (part, name) = self.understood(read)?;
        let exists = match part {
            Some(part) => self.find_output(part, name).is_some(),
            None => self.latest_output(name, count).is_some(),
        };
        if !exists {
            let of = |part: usize| {
                let function = self.parts[part].function();
                function.outputs().iter().map(|&v| function.values[v].name.as_str())
            };
            let names = match part {
                Some(part) => of(part).collect(),
                None => (0..count).flat_map(of).collect(),
            };
            self.unknown(codes::UNKNOWN_OUTPUT, "output", part, name, names);
        }
        exists.then_some((part, name))
    }

    /// The program and name of an input as a user wrote it.
    fn input(&mut self, text: &'a str) -> Option<(Option<usize>, &'a str)> {
        let count = self.parts.len();
        let anywhere = |name: &str| (0..count).any(|part| self.find_input(part, name).is_some());
        let read = bind::port(self.parts, text, anywhere);
        let (part, name) = self.understood(read)?;
        let exists = match part {
            Some(part) => self.find_input(part, name).is_some(),
            None => (0..count).any(|part| self.find_input(part, name).is_some()),
        };
        if !exists {
            let of = |part: usize| self.inputs(part).map(|(_, n)| n.as_str());
            let names = match part {
                Some(part) => of(part).collect(),
                None => (0..count).flat_map(of).collect(),
            };
            self.unknown(codes::UNKNOWN_INPUT, "input", part, name, names);
        }
        exists.then_some((part, name))
    }

    fn is_state(&self, part: Option<usize>, name: &str) -> bool {
        let parts = part.map_or(0..self.parts.len(), |part| part..part + 1);
        let mut functions = parts.map(|part| self.parts[part].function());
        functions.any(|f| {
            let mut states = f.params().iter().filter(|&&v| matches!(f.values[v].ty, Type::State(_)));
            states.any(|&v| f.values[v].name == *name)
        })
    }

    fn understood<T>(&mut self, read: Result<T, Diagnostic>) -> Option<T> {
        read.map_err(|diagnostic| self.report(0, None, diagnostic)).ok()
    }

    fn unknown(
        &mut self,
        code: &'static str,
        what: &str,
        part: Option<usize>,
        name: &str,
        mut names: Vec<&'a str>,
    ) {
        let near = nearest(name, names.iter().copied());
        let mut seen = HashSet::new();
        names.retain(|n| seen.insert(*n));
        let help = match near.first() {
            Some(near) => format!("did you mean `{near}`?"),
            None if self.is_state(part, name) => {
                format!("`{name}` is a state; every program keeps its own, and nothing feeds it")
            }
            None if names.is_empty() => format!("there is no {what} at all"),
            None => format!("the {what}s are {}", names.join(", ")),
        };
        let message = match part {
            Some(part) => format!("`{}` has no {what} `{name}`", self.parts[part].file),
            None => format!("none of the programs has an {what} `{name}`"),
        };
        self.report(part.unwrap_or(0), None, Diagnostic::error(code, message).help(help));
    }

    /// What the bindings say. Those that name the program of the input come first: the others leave such inputs alone.
    fn bound(&mut self) -> Bound<'a> {
        let mut bound: Bound<'a> =
            self.parts.iter().map(|p| vec![None; p.function().params().len()]).collect();
        let mut general = Vec::new();
        let options = self.options;
        for bind in &options.binds {
            let (Some(output), Some(input)) = (self.output(&bind.output), self.input(&bind.input)) else {
                continue;
            };
            match input {
                (Some(part), name) => self.bind(bind, output, part, name, &mut bound),
                (None, name) => general.push((bind, output, name)),
            }
        }
        let specific = bound.clone();
        for (bind, output, name) in general {
            let takes = |part: &usize| self.find_input(*part, name).is_some();
            let with_input: Vec<usize> = (0..self.parts.len()).filter(takes).collect();
            let gives = |part: usize| match output.0 {
                Some(giver) => giver < part,
                None => self.latest_output(output.1, part).is_some(),
            };
            let fed: Vec<usize> = with_input.iter().copied().filter(|&part| gives(part)).collect();
            // Without a later program that takes it, the first that has the input says what is wrong.
            let fed = if fed.is_empty() { with_input.into_iter().take(1).collect() } else { fed };
            for part in fed {
                let at = self.find_input(part, name);
                if at.is_none_or(|at| specific[at.part][at.port].is_none()) {
                    self.bind(bind, output, part, name, &mut bound);
                }
            }
        }
        bound
    }

    /// One output to one input.
    fn bind(
        &mut self,
        bind: &'a Bind,
        (giver, output): (Option<usize>, &str),
        taker: usize,
        input: &str,
        bound: &mut Bound<'a>,
    ) {
        let Some(to) = self.find_input(taker, input) else { return };
        let from = match giver {
            Some(giver) if giver < taker => self.find_output(giver, output),
            Some(_) => None,
            None => self.latest_output(output, taker),
        };
        let name = self.param(to).0;
        let Some(from) = from else {
            let file = self.parts[taker].file;
            let message = format!("`{bind}`: no program before `{file}` gives `{output}`");
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
            let Some((part, name)) = self.input(text) else { continue };
            let parts = part.map_or(0..self.parts.len(), |part| part..part + 1);
            separate.extend(parts.filter_map(|part| self.find_input(part, name)));
        }
        separate
    }

    /// For each parameter of each program the output that feeds it, if one does.
    fn feeds(&mut self, bound: &Bound<'a>, separate: &HashSet<Origin>) -> Vec<Vec<Option<Feed>>> {
        let mut feeds = Vec::with_capacity(self.parts.len());
        for (part, bound) in bound.iter().enumerate() {
            let mut row: Vec<Option<Feed>> = vec![None; bound.len()];
            for (to, name) in self.inputs(part) {
                let from = bound[to.port].map(|(from, _)| from);
                let same_name = || match separate.contains(&to) {
                    true => None,
                    false => self.latest_output(name, part),
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
        let (input, wanted) = self.param(to);
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
            if let Some((_, input)) = self.inputs(part).find(|(to, _)| fits(*to)) {
                return Some(format!("{}:{}={}:{input}", before + 1, self.output_name(from), part + 1));
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
            if let Some((part, name)) = self.output(text) {
                chosen.extend(match part {
                    Some(part) => self.find_output(part, name),
                    None => self.latest_output(name, self.parts.len()),
                });
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

    /// Makes a parameter of the linked program for what nothing feeds, one for inputs that are the same.
    fn params(
        &mut self,
        feeds: Vec<Vec<Option<Feed>>>,
        separate: &HashSet<Origin>,
    ) -> (Vec<Vec<Feed>>, Vec<Origin>) {
        let flexible: Vec<Flexibility> = self.parts.iter().map(|p| Flexibility::of(p.function())).collect();
        let mut params: Vec<Origin> = Vec::new();
        let mut all = Vec::with_capacity(feeds.len());
        for (part, row) in feeds.into_iter().enumerate() {
            let mut done = Vec::with_capacity(row.len());
            for (port, feed) in row.into_iter().enumerate() {
                let at = Origin { part, port };
                let feed = feed.unwrap_or_else(|| {
                    let shared = if separate.contains(&at) {
                        None
                    } else {
                        self.shared(at, &params, separate, &flexible)
                    };
                    Feed::Param(shared.unwrap_or_else(|| {
                        params.push(at);
                        params.len() - 1
                    }))
                });
                done.push(feed);
            }
            all.push(done);
        }
        (all, params)
    }

    /// The earlier parameter that means the same thing.
    fn shared(
        &mut self,
        at: Origin,
        params: &[Origin],
        separate: &HashSet<Origin>,
        flexible: &[Flexibility],
    ) -> Option<usize> {
        let (name, ty) = self.param(at);
        if matches!(ty, Type::State(_)) {
            return None;
        }
        let alike = |other: &Origin| {
            let (a, b) = (&flexible[at.part], &flexible[other.part]);
            self.param(*other).1 == ty
                && a.default_shape(name) == b.default_shape(name)
                && a.ranges_of(name) == b.ranges_of(name)
        };
        let mut named = (0..params.len()).filter(|&i| {
            let other = params[i];
            other.part != at.part && self.param(other).0 == name && !separate.contains(&other)
        });
        let first = named.next()?;
        if let Some(found) = std::iter::once(first).chain(named).find(|&i| alike(&params[i])) {
            return Some(found);
        }
        let other = params[first];
        let (mine, others) = (self.parts[at.part].file, self.parts[other.part].file);
        let message = format!(
            "`{name}` of `{mine}` is {ty}, but of `{others}` it is {}: they stay two inputs",
            self.param(other).1
        );
        let help = format!("say --separate {name} if that is meant");
        self.report(at.part, Some(name), Diagnostic::warning(codes::SAME_NAME, message).help(help));
        None
    }
}
