//! What the steps of an experiment work on: a place to write down what is found, a clock, and programs for the bridges.

#[cfg(bridge)]
pub(crate) mod kernel;
#[cfg(bridge)]
pub(crate) mod link;
mod program;

pub use program::Program;
#[cfg(bridge)]
pub(crate) use program::equality;

use crate::observation::{Dump, Figure, Finding, Observation, Placed, Spread, Value};
use mil_ane::fingerprint::Fit;
use mil_apple::BridgeError;
use mil_run::{Placement, RunError};
use std::time::{Duration, Instant};

/// The bench of one experiment.
#[derive(Debug)]
pub struct Bench {
    seed: u64,
    budget: Duration,
    observation: Observation,
}

/// Why the steps ended before their end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stop {
    /// The reason.
    pub why: String,
    /// Was it that the thing to look at is not here (a class, a symbol, the Mac itself), and nothing was found out?
    pub absent: bool,
}

/// Runs before the clock counts.
const WARM_UP: usize = 2;
/// Fewest runs that make a spread.
const FEWEST: usize = 5;
/// Most runs worth keeping.
const MOST: usize = 10_000;

impl Bench {
    /// A bench with random inputs of this seed, that takes about `budget` for each measurement of time.
    pub fn new(seed: u64, budget: Duration) -> Bench {
        Bench { seed, budget, observation: Observation::default() }
    }

    /// What was written down.
    pub fn into_observation(self) -> Observation {
        self.observation
    }

    /// Random numbers: the same in each run with the same seed.
    pub fn random(&self) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.seed)
    }

    /// Writes down a finding.
    pub fn found(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.observation.findings.push(Finding { name: name.into(), value: value.into() });
    }

    /// Writes down how a call went: `YES`, or the error; gives what it gave.
    pub fn attempt<T>(&mut self, name: impl Into<String>, result: Result<T, BridgeError>) -> Option<T> {
        match result {
            Ok(value) => {
                self.found(name, true);
                Some(value)
            }
            Err(error) => {
                self.found(name, words(&error));
                None
            }
        }
    }

    /// Writes down what a call answered, or its error.
    pub fn answer<V: Into<Value>>(&mut self, name: impl Into<String>, result: Result<V, BridgeError>) {
        match result {
            Ok(value) => self.found(name, value),
            Err(error) => self.found(name, words(&error)),
        }
    }

    /// Writes down how many of these classes are here; gives the methods of those that are, a line each.
    #[cfg(bridge)]
    pub fn methods_of(&mut self, classes: &[&str]) -> Vec<String> {
        let known: Vec<Vec<String>> =
            classes.iter().filter_map(|c| mil_apple::objc::probe::dump(c).ok()).collect();
        self.found("classes found", known.len());
        known.concat()
    }

    /// Writes down how a step of a chain ended.
    #[cfg(bridge)]
    pub fn outcome(&mut self, name: impl Into<String>, outcome: &mil_apple::ane::chaining::Outcome) {
        self.found(name, outcome.to_string());
    }

    /// Writes down a figure.
    pub fn figure(&mut self, name: &str, path: &str, size: &str, unit: &str, spread: Spread) {
        self.observation.figures.push(Figure {
            name: name.to_owned(),
            path: path.to_owned(),
            size: size.to_owned(),
            unit: unit.to_owned(),
            spread,
        });
    }

    /// Repeats something, and writes down how many milliseconds it takes each time.
    pub fn time(
        &mut self,
        name: &str,
        path: &str,
        size: &str,
        f: impl FnMut() -> Result<(), Stop>,
    ) -> Result<Spread, Stop> {
        let spread = self.measure(f)?;
        self.figure(name, path, size, "ms", spread);
        Ok(spread)
    }

    /// Repeats something: how many milliseconds it takes each time.
    pub fn measure(&self, mut f: impl FnMut() -> Result<(), Stop>) -> Result<Spread, Stop> {
        for _ in 0..WARM_UP {
            f()?;
        }
        let (begun, mut times) = (Instant::now(), Vec::new());
        while times.len() < FEWEST || (begun.elapsed() < self.budget && times.len() < MOST) {
            let t = Instant::now();
            f()?;
            times.push(t.elapsed().as_secs_f64() * 1e3);
        }
        Spread::of(times).ok_or_else(|| Stop::wrong("nothing was timed"))
    }

    /// Writes down where a result was computed.
    pub fn placed(&mut self, of: impl Into<String>, placement: &Placement) {
        self.observation.placements.push(Placed { of: of.into(), text: placement.to_string() });
    }

    /// Writes down which arithmetic a matrix product fits: the short name as a finding, the whole comparison beside it.
    pub fn arithmetic(&mut self, of: &str, fit: &Fit) {
        let short = fit.verdict.arithmetic().map_or_else(|| fit.verdict.to_string(), |a| a.name().to_owned());
        self.found(format!("{of} arithmetic"), short);
        let scores = fit.scores.iter().map(|s| {
            format!(
                "{}: {} of {} equal, largest difference {:.2e}",
                s.arithmetic, s.equal, fit.elements, s.max_difference
            )
        });
        let scores: Vec<String> = scores.collect();
        let text = format!("{}. {}", fit.verdict, scores.join("; "));
        self.observation.arithmetic.push(Placed { of: of.to_owned(), text });
    }

    /// Keeps a list, to be compared with that of another machine.
    pub fn dump(&mut self, name: impl Into<String>, lines: Vec<String>) {
        self.observation.dumps.push(Dump { name: name.into(), lines });
    }
}

/// An error as a finding: what tells two outcomes apart comes first.
pub(crate) fn words(error: &BridgeError) -> String {
    match error {
        BridgeError::Cocoa { domain, code, description, .. } => {
            format!("error {domain} {code}: {description}")
        }
        BridgeError::Exception { name, reason, .. } => format!("exception {name}: {reason}"),
        other => other.to_string(),
    }
}

impl Stop {
    /// Something went wrong.
    pub fn wrong(why: impl Into<String>) -> Stop {
        Stop { why: why.into(), absent: false }
    }

    /// The thing to look at is not here.
    pub fn absent(why: impl Into<String>) -> Stop {
        Stop { why: why.into(), absent: true }
    }
}

/// Codes that say that something is not here.
const ABSENT: [&str; 6] = [
    mil_apple::codes::NOT_HERE,
    mil_apple::codes::FRAMEWORK,
    mil_apple::codes::MISSING_CLASS,
    mil_apple::codes::MISSING_SELECTOR,
    mil_apple::codes::MISSING_SYMBOL,
    mil_apple::codes::ENCODING,
];

impl From<BridgeError> for Stop {
    fn from(error: BridgeError) -> Stop {
        Stop { why: words(&error), absent: ABSENT.contains(&error.code()) }
    }
}

impl From<RunError> for Stop {
    fn from(error: RunError) -> Stop {
        let absent = match &error {
            RunError::Refused(all) => all.iter().any(|d| ABSENT.contains(&d.code)),
            _ => false,
        };
        let why = match &error {
            RunError::Refused(all) => all.iter().map(|d| d.message.clone()).collect::<Vec<_>>().join("; "),
            other => other.to_string(),
        };
        Stop { why, absent }
    }
}

impl From<mil_ane::ShapeError> for Stop {
    fn from(error: mil_ane::ShapeError) -> Stop {
        Stop::wrong(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_here_is_told_from_what_goes_wrong() {
        assert!(Stop::from(BridgeError::NotHere { wanted: "ane" }).absent);
        assert!(Stop::from(RunError::from(BridgeError::NotHere { wanted: "ane" })).absent);
        assert!(!Stop::from(BridgeError::Null { call: "x" }).absent);
    }

    #[test]
    fn times_have_a_spread() {
        let mut bench = Bench::new(1, Duration::ZERO);
        let mut runs = 0;
        let spread = bench
            .time("t", "", "", || {
                runs += 1;
                Ok(())
            })
            .unwrap();
        assert_eq!((spread.runs, runs), (FEWEST, FEWEST + WARM_UP));
        assert!(bench.time("t", "", "", || Err(Stop::wrong("no"))).is_err());
        assert_eq!(bench.into_observation().figures.len(), 1);
    }
}
