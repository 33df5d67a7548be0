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

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let classes: &[&str] =
            &["MLE5ExecutionStream", "MLE5ExecutionStreamOperation", "MLE5InputPort", "MLE5OutputPort"];
        let lines = bench.methods_of(classes);
        bench.found("methods that mention _ANE", lines.iter().filter(|l| l.contains("_ANE")).count());
        bench.dump("S", lines);
        Ok(())
    }
}
