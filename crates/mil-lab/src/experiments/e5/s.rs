//! S: reaching the Neural Engine's objects from streams and operations.

use crate::card::{Experiment, Risk, steps};

/// The card of S.
pub static S: Experiment = Experiment {
    id: "S",
    title: "reaching the Neural Engine's objects from streams and operations",
    page: include_str!("s.md"),
    risk: Risk::Safe,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::{Bench, Stop};
    use mil_apple::objc::probe;

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let classes: &[&str] =
            &["MLE5ExecutionStream", "MLE5ExecutionStreamOperation", "MLE5InputPort", "MLE5OutputPort"];
        let known: Vec<Vec<String>> = classes.iter().filter_map(|c| probe::dump(c).ok()).collect();
        bench.found("classes found", known.len());
        let lines: Vec<String> = known.concat();
        bench.found("methods that mention _ANE", lines.iter().filter(|l| l.contains("_ANE")).count());
        bench.dump("S", lines);
        Ok(())
    }
}
