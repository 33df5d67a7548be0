//! Joining programs into one: what `milwright link` does.

mod chain;
mod describe;

pub use chain::ChainCheck;

use crate::failure::Failure;
use crate::model::no_function;
use crate::open::{Kind, Opened};
use crate::report::Report;
use crate::save::{SaveOptions, TextWeights, save};
use mil_base::{DType, Diagnostic, Name};
use mil_check::Checked;
use mil_ir::{FunctionId, Origins};
use mil_passes::link::program_of;
use mil_passes::{Feed, LinkOptions, Linked, Origin, Part, Problem};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Programs joined into one.
pub struct Link {
    pieces: Vec<Piece>,
    linked: Linked,
    /// The joined program with what its parts' descriptions say of its inputs and outputs; its path is empty.
    pub opened: Opened,
    /// The joined program with its types.
    pub checked: Arc<Checked>,
    /// What looked odd about each of the programs, none of it an error.
    pub warnings: Vec<Report>,
}

/// One of the programs.
struct Piece {
    opened: Opened,
    checked: Arc<Checked>,
    function: FunctionId,
    /// What bindings call it.
    name: String,
}

/// Something that goes from one program to another.
#[derive(Clone, PartialEq, Debug)]
pub struct Wire {
    /// The output, `PROGRAM:NAME`.
    pub output: String,
    /// The input, `PROGRAM:NAME`.
    pub input: String,
    /// The element type it is converted to on the way.
    pub cast: Option<DType>,
}

/// Checks programs and joins them in the order given: see [`mil_passes::link`](mod@mil_passes::link).
///
/// `functions` chooses among several functions, `PROGRAM:NAME`, or `NAME` for every program; without it the default
/// function is taken. Errors: a report for each program that something is wrong with.
pub fn link(opened: Vec<Opened>, functions: &[String], options: &LinkOptions) -> Result<Link, Vec<Report>> {
    let names: Vec<String> = opened.iter().map(|o| name_of(&o.path)).collect();
    let (mut pieces, mut reports, mut failed) = (Vec::new(), Vec::new(), false);
    let chosen = choose(&names, functions).map_err(|diagnostic| {
        let path = opened.first().map(|o| o.path.clone()).unwrap_or_default();
        vec![Report::from(Failure::one(path, diagnostic))]
    })?;
    for ((opened, name), chosen) in opened.into_iter().zip(names).zip(chosen) {
        let (mut report, checked) = Report::check(opened.clone());
        if let Some(checked) = checked {
            let function = match chosen {
                Some(name) => checked.program().function(name),
                None => opened.default_function(),
            };
            match function {
                Some(function) => pieces.push(Piece { opened, checked, function, name }),
                None => report.diagnostics.push(no_function(&checked, chosen)),
            }
        }
        failed |= report.has_errors();
        reports.push(report);
    }
    if failed {
        return Err(reports.into_iter().filter(Report::has_errors).collect());
    }
    let files: Vec<String> = pieces.iter().map(|p| p.opened.path.display().to_string()).collect();
    let parts: Vec<Part<'_>> = pieces.iter().zip(&files).map(|(piece, file)| piece.part(file)).collect();
    let linked = mil_passes::link(&parts, options).map_err(|problems| located(&pieces, problems))?;
    reports.extend(located(&pieces, linked.warnings.clone()));
    reports.retain(|r| !r.diagnostics.is_empty());
    let checked = Arc::new(linked.checked.clone());
    let opened = Opened {
        path: PathBuf::new(),
        kind: Kind::Text,
        program: checked.program().clone(),
        origins: Origins::default(),
        source: None,
        description: describe::describe(&pieces, &linked),
        model_file: None,
        pipeline: None,
        warnings: Vec::new(),
    };
    Ok(Link { pieces, linked, opened, checked, warnings: reports })
}

impl Link {
    /// Saves the joined program by the kind its name says, with all weights that it needs: a text `NAME.mil` has them in
    /// `weights/NAME.bin`, which is replaced only if `replace` is set. Gives what could not be kept.
    ///
    /// Errors: those of [`save()`].
    pub fn save(&self, path: impl AsRef<Path>, replace: bool) -> Result<Vec<Diagnostic>, Failure> {
        let options = SaveOptions {
            description: self.opened.description.as_ref(),
            weights: TextWeights::Own { replace },
            ..SaveOptions::default()
        };
        save(path, &self.opened.program, &options)
    }

    /// What goes from one program to another, in the order of the programs.
    pub fn wires(&self) -> Vec<Wire> {
        let mut wires = Vec::new();
        for (part, feeds) in self.linked.feeds.iter().enumerate() {
            for (port, feed) in feeds.iter().enumerate() {
                if let Feed::Output(from, cast) = feed {
                    let input = self.param_name(Origin { part, port });
                    wires.push(Wire { output: self.output_name(*from), input, cast: *cast });
                }
            }
        }
        wires
    }

    /// The outputs of the joined program by name, each with the port it comes from, `PROGRAM:NAME`.
    pub fn outputs(&self) -> Vec<(Name, String)> {
        let f = &self.checked.program().functions[self.function()];
        let names = f.outputs().iter().map(|&v| f.values[v].name.clone());
        names.zip(self.linked.outputs.iter().map(|at| self.output_name(*at))).collect()
    }

    /// The inputs and states of the joined program by name, each with the first port it feeds, `PROGRAM:NAME`.
    pub fn inputs(&self) -> Vec<(Name, String)> {
        let f = &self.checked.program().functions[self.function()];
        let names = f.params().iter().map(|&v| f.values[v].name.clone());
        names.zip(self.linked.params.iter().map(|at| self.param_name(*at))).collect()
    }

    /// The only function of the joined program.
    fn function(&self) -> FunctionId {
        FunctionId::from_index(0)
    }

    fn param_name(&self, at: Origin) -> String {
        let f = self.pieces[at.part].function();
        self.pieces[at.part].port(at.part, &f.values[f.params()[at.port]].name, &self.pieces)
    }

    fn output_name(&self, at: Origin) -> String {
        let f = self.pieces[at.part].function();
        self.pieces[at.part].port(at.part, &f.values[f.outputs()[at.port]].name, &self.pieces)
    }
}

impl Piece {
    fn part<'a>(&'a self, file: &'a str) -> Part<'a> {
        Part { name: &self.name, file, checked: &self.checked, function: self.function }
    }

    fn function(&self) -> &mil_ir::Function {
        &self.checked.program().functions[self.function]
    }

    /// A port as bindings call it: by the program's name if that says which, else by its position.
    fn port(&self, position: usize, name: &Name, all: &[Piece]) -> String {
        match all.iter().filter(|p| p.name == self.name).count() {
            1 => format!("{}:{name}", self.name),
            _ => format!("{}:{name}", position + 1),
        }
    }
}

/// A program's file without folder and ending.
fn name_of(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// For each program the function that `functions` chooses.
fn choose<'f>(names: &[String], functions: &'f [String]) -> Result<Vec<Option<&'f str>>, Diagnostic> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut chosen = vec![None; names.len()];
    let mut general = None;
    for text in functions {
        match program_of(&names, text)? {
            (Some(part), name) => chosen[part] = Some(name),
            (None, name) => general = Some(name),
        }
    }
    Ok(chosen.into_iter().map(|own| own.or(general)).collect())
}

/// Problems with their places in the source, a report for each program that has some.
fn located(pieces: &[Piece], problems: Vec<Problem>) -> Vec<Report> {
    let mut reports: Vec<Report> = Vec::new();
    for (number, piece) in pieces.iter().enumerate() {
        let own = problems.iter().filter(|p| p.part == number).map(|p| p.diagnostic.clone());
        let mut diagnostics: Vec<Diagnostic> = own.collect();
        mil_check::locate(&mut diagnostics, piece.checked.program(), &piece.opened.origins);
        if !diagnostics.is_empty() {
            let (path, source) = (piece.opened.path.clone(), piece.opened.source.clone());
            reports.push(Report { path, source, program: Some(piece.checked.shared_program()), diagnostics });
        }
    }
    reports
}
