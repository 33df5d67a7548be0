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
    use mil_apple::objc::probe;

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let classes: &[&str] = &["MLE5Engine", "MLE5ProgramLibrary", "MLProgramE5Container"];
        let known: Vec<Vec<String>> = classes.iter().filter_map(|c| probe::dump(c).ok()).collect();
        bench.found("classes found", known.len());
        let lines: Vec<String> = known.concat();
        bench.found("methods that mention _ANE", lines.iter().filter(|l| l.contains("_ANE")).count());
        bench.dump("R", lines);
        Ok(())
    }
}
