//! A program with its inputs, on every runtime there is.

use super::{Bench, Stop};
use crate::observation::Spread;
use bytes::Bytes;
use mil_apple::Kind;
use mil_base::{DType, Diagnostic, Name, Tensor};
use mil_check::{Checked, Target};
use mil_codec::folder::Folder;
use mil_codec::weights::attach;
use mil_ops::OpSet;
use mil_run::{LoadedCpu, Named, Options, Reference, Runtime};
use std::sync::Arc;
use std::time::Instant;

/// The folder of a program whose one weight file is in memory.
struct Memory<'a>(&'a Bytes);

impl Folder for Memory<'_> {
    fn file(&self, path: &str) -> Result<Option<Bytes>, Diagnostic> {
        Ok((path == "weights/weight.bin").then(|| self.0.clone()))
    }
}

/// A checked program and its inputs.
#[derive(Clone)]
pub struct Program {
    checked: Arc<Checked>,
    inputs: Vec<Named>,
}

/// What the others are compared with.
struct Yardstick {
    cpu: Vec<Named>,
    reference: Vec<Named>,
}

impl Program {
    /// Reads and checks MIL text.
    pub fn new(text: &str, inputs: Vec<(&str, Tensor)>) -> Result<Program, Stop> {
        Program::read(text, inputs, None)
    }

    /// Reads and checks MIL text whose one weight file, `weights/weight.bin`, is given.
    pub fn with_weights(text: &str, inputs: Vec<(&str, Tensor)>, weights: &Bytes) -> Result<Program, Stop> {
        Program::read(text, inputs, Some(weights))
    }

    fn read(text: &str, inputs: Vec<(&str, Tensor)>, weights: Option<&Bytes>) -> Result<Program, Stop> {
        let wrong = |all: &[Diagnostic]| {
            let words: Vec<&str> = all.iter().map(|d| d.message.as_str()).collect();
            Stop::wrong(format!("the program is wrong: {}", words.join("; ")))
        };
        let mut read = mil_codec::text::read(text);
        let attached = weights.map(|w| attach(&mut read.program, &read.origins, &Memory(w), ""));
        read.diagnostics.extend(attached.into_iter().flatten());
        if read.diagnostics.iter().any(Diagnostic::is_error) {
            return Err(wrong(&read.diagnostics));
        }
        let checked =
            mil_check::check(Arc::new(read.program), &read.origins, &OpSet::standard(), Target::default());
        let checked = Arc::new(checked.map_err(|all| wrong(&all))?);
        let inputs = inputs.into_iter().map(|(name, t)| (Name::from(name), t)).collect();
        Ok(Program { checked, inputs })
    }

    /// The program.
    pub fn checked(&self) -> &Arc<Checked> {
        &self.checked
    }

    /// Its inputs.
    pub fn inputs(&self) -> &[Named] {
        &self.inputs
    }

    /// What the cpu runtime gives.
    pub fn cpu(&self) -> Result<Vec<Named>, Stop> {
        self.cpu_of(&self.inputs)
    }

    /// What it gives on other inputs.
    pub fn cpu_of(&self, inputs: &[Named]) -> Result<Vec<Named>, Stop> {
        let loaded = LoadedCpu::new(self.checked.clone(), &Options::default())?;
        let session = mil_run::Loaded::session(&loaded, None);
        Ok(session?.run(inputs)?)
    }
}

impl Bench {
    /// Runs a program on the four runtimes, and writes down of each: whether it computed, whether every bit is that of the cpu
    /// runtime, how far it is from the f64 reference, where it ran, how long its first and its later runs took. Gives the results.
    ///
    /// One that is not here, or fails, is a finding; the experiment stops when none is here.
    pub fn on_every_runtime(
        &mut self,
        program: &Program,
        size: &str,
    ) -> Result<Vec<(Kind, Vec<Named>)>, Stop> {
        let yardstick = self.yardstick(program, size)?;
        let (mut results, mut absent) = (Vec::new(), Vec::new());
        for kind in Kind::ALL {
            match self.on_one(kind, program, &yardstick, size) {
                Ok(outputs) => results.push((kind, outputs)),
                Err(stop) => {
                    self.found(named(kind.name(), "result", size), stop.why.clone());
                    absent.extend(stop.absent.then_some(stop.why));
                }
            }
        }
        if absent.len() == Kind::ALL.len() { Err(Stop::absent(absent.join("; "))) } else { Ok(results) }
    }

    /// The cpu runtime, every step held to its cards' accuracy, and the reference.
    fn yardstick(&mut self, program: &Program, size: &str) -> Result<Yardstick, Stop> {
        let loaded = LoadedCpu::new(program.checked.clone(), &Options::default())?;
        let mut session = loaded.session(None)?;
        let report = mil_run::verify(&loaded, &mut session, None, &program.inputs)?;
        let worst = report.worst().map_or(0.0, |step| step.worst.ratio());
        self.found(named("cpu", "within its cards' accuracy", size), report.holds());
        self.found(named("cpu", "worst step, as a part of what its card allows", size), worst);
        let mut reference = Reference.load(program.checked.clone(), &Options::default())?.session(None)?;
        let reference = reference.run(&program.inputs)?;
        self.difference("cpu", &report.results, &reference, size);
        Ok(Yardstick { cpu: report.results, reference })
    }

    fn on_one(
        &mut self,
        kind: Kind,
        program: &Program,
        yardstick: &Yardstick,
        size: &str,
    ) -> Result<Vec<Named>, Stop> {
        let loaded = mil_apple::runtime(kind)?.load(program.checked.clone(), &Options::default())?;
        let mut session = loaded.session(None)?;
        let begun = Instant::now();
        let outputs = session.run(&program.inputs)?;
        let first = begun.elapsed().as_secs_f64() * 1e3;
        self.figure("first call", kind.name(), size, "ms", Spread::once(first));
        self.found(named(kind.name(), "result", size), "computed");
        self.found(named(kind.name(), "equal to cpu", size), equality(&outputs, &yardstick.cpu));
        self.difference(kind.name(), &outputs, &yardstick.reference, size);
        self.placed(named(kind.name(), "", size), &loaded.placement());
        self.time("latency", kind.name(), size, || Ok(session.run(&program.inputs).map(drop)?))?;
        Ok(outputs)
    }

    /// Writes down whether every bit is that of the cpu runtime, and the largest difference from it.
    pub fn compare(&mut self, path: &str, got: &[Named], cpu: &[Named], size: &str) {
        self.found(named(path, "equal to cpu", size), equality(got, cpu));
        self.difference(path, got, cpu, size);
    }

    /// Writes down the largest difference from the reference, and the same relative to the largest magnitude there.
    fn difference(&mut self, who: &str, got: &[Named], want: &[Named], size: &str) {
        let pairs =
            || got.iter().zip(want).flat_map(|((_, g), (_, w))| g.to_f64().into_iter().zip(w.to_f64()));
        let apart = |(g, w): (f64, f64)| if g == w { 0.0 } else { (g - w).abs() };
        let worst =
            pairs().map(apart).fold(0.0, |a: f64, b| if b.is_nan() { f64::INFINITY } else { a.max(b) });
        let largest = pairs().map(|(_, w)| w.abs()).fold(0.0, f64::max);
        self.found(named(who, "largest difference", size), worst);
        self.figure("largest difference", who, size, "", Spread::once(worst));
        if largest > 0.0 {
            self.figure("largest difference, relative", who, size, "", Spread::once(worst / largest));
        }
    }
}

/// A finding's name: the path, what was looked at, the size of the program where there are several.
pub(crate) fn named(path: &str, what: &str, size: &str) -> String {
    [path, what, size].iter().filter(|s| !s.is_empty()).copied().collect::<Vec<_>>().join(" ")
}

/// `every bit`, or how much differs.
pub(crate) fn equality(got: &[Named], want: &[Named]) -> String {
    if got.len() != want.len() {
        return format!("{} outputs, where there should be {}", got.len(), want.len());
    }
    let mut different = 0;
    for ((name, g), (expected, w)) in got.iter().zip(want) {
        if name != expected || g.dtype() != w.dtype() || g.shape() != w.shape() {
            return format!("`{name}` is {}, where `{expected}` should be {}", g.ty(), w.ty());
        }
        let width = bytes_of(g.dtype());
        different += g.bytes().chunks(width).zip(w.bytes().chunks(width)).filter(|(a, b)| a != b).count();
    }
    match different {
        0 => "every bit".to_owned(),
        n => format!("{n} elements differ"),
    }
}

fn bytes_of(dtype: DType) -> usize {
    dtype.bytes_for(1).unwrap_or(1).max(1)
}
