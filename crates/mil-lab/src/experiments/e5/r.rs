//! R: reaching the Neural Engine's objects from the engine and its library.

use crate::card::{Experiment, Risk, steps};

/// The card of R.
pub static R: Experiment = Experiment {
    id: "R",
    title: "reaching the Neural Engine's objects from the engine and its library",
    page: include_str!("r.md"),
    risk: Risk::Safe,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::{Bench, Stop};

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let classes: &[&str] = &["MLE5Engine", "MLE5ProgramLibrary", "MLProgramE5Container"];
        let lines = bench.methods_of(classes);
        bench.found("methods that mention _ANE", lines.iter().filter(|l| l.contains("_ANE")).count());
        bench.dump("R", lines);
        Ok(())
    }
}
