//! Running experiments: in this process, or each in one of its own that may die.

use crate::bench::Bench;
use crate::card::Experiment;
use crate::evidence::Record;
use crate::judge::{Verdict, judge};
use crate::observation::Observation;
use crate::system::{self, Ground};
use std::io::Read;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How to run.
#[derive(Clone, PartialEq, Debug)]
pub struct Options {
    /// Seed of random inputs.
    pub seed: u64,
    /// Time for each measurement.
    pub budget: Duration,
    /// Time for an experiment in a process of its own, after which it counts as hanging.
    pub limit: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options { seed: 1, budget: Duration::from_millis(300), limit: Duration::from_secs(300) }
    }
}

/// There is nothing to run experiments against.
pub const NO_BRIDGE: &str = "experiments need a Mac, or the doubles: build with `cargo build -p milwright-cli --features doubles` (Debian: gobjc, libgnustep-base-dev, libblocksruntime-dev)";

/// Runs an experiment in this process. Error: there is neither a Mac nor the doubles.
pub fn run(card: &Experiment, options: &Options) -> Result<Record, &'static str> {
    let (ground, steps) = system::here().zip(card.steps).ok_or(NO_BRIDGE)?;
    let mut bench = Bench::new(options.seed, options.budget);
    let ended = pooled(|| steps(&mut bench));
    let found = bench.into_observation();
    let verdict = match ended {
        Ok(()) => judge(&card.page().repeated, &found, ground),
        Err(stop) if stop.absent => Verdict::CouldNotRun(stop.why),
        Err(stop) => Verdict::Differs(vec![stop.why]),
    };
    Ok(record(card, options, ground, verdict, found))
}

/// Runs steps with a pool for what the frameworks release later.
fn pooled<T>(steps: impl FnOnce() -> T) -> T {
    #[cfg(bridge)]
    return mil_apple::objc::autoreleasepool(|_| steps());
    #[cfg(not(bridge))]
    steps()
}

/// Runs an experiment in a process of its own: `command`, which must print the [`Record`] as JSON. A process that dies or takes
/// too long is a verdict.
pub fn isolated(card: &Experiment, options: &Options, mut command: Command) -> Result<Record, String> {
    let ground = system::here().ok_or(NO_BRIDGE)?;
    let failed =
        |why: String| record(card, options, ground, Verdict::Differs(vec![why]), Observation::default());
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cannot start a process for the experiment: {e}"))?;
    let drain = |pipe: Option<Box<dyn Read + Send>>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            // What was read until a pipe broke is all there is.
            let _ = pipe.map(|mut p| p.read_to_end(&mut bytes));
            bytes
        })
    };
    let out = drain(child.stdout.take().map(|p| Box::new(p) as Box<dyn Read + Send>));
    let errors = drain(child.stderr.take().map(|p| Box::new(p) as Box<dyn Read + Send>));
    let begun = Instant::now();
    let status = loop {
        match child.try_wait().map_err(|e| format!("cannot wait for the experiment: {e}"))? {
            Some(status) => break Some(status),
            None if begun.elapsed() > options.limit => {
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let (out, errors) = (out.join().unwrap_or_default(), errors.join().unwrap_or_default());
    let Some(status) = status else {
        return Ok(failed(format!(
            "it hung: nothing after {} s, and the process was ended",
            options.limit.as_secs()
        )));
    };
    if let Ok(record) = serde_json::from_slice(&out) {
        return Ok(record);
    }
    Ok(failed(format!("its process died ({}){}", ended(status), last_words(&errors))))
}

#[cfg(unix)]
fn ended(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    status.signal().map_or_else(|| status.to_string(), |signal| format!("signal {signal}"))
}

#[cfg(not(unix))]
fn ended(status: ExitStatus) -> String {
    status.to_string()
}

/// The last line a process printed, after a colon.
fn last_words(errors: &[u8]) -> String {
    let text = String::from_utf8_lossy(errors);
    let last = text.lines().rev().find(|l| !l.trim().is_empty());
    last.map_or_else(String::new, |l| format!(": {}", l.trim()))
}

fn record(
    card: &Experiment,
    options: &Options,
    ground: Ground,
    verdict: Verdict,
    observation: Observation,
) -> Record {
    Record {
        experiment: card.id.to_owned(),
        title: card.title.to_owned(),
        ground,
        system: mil_apple::ground::system(),
        machine: system::machine(),
        date: system::now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seed: options.seed,
        verdict,
        observation,
    }
}
