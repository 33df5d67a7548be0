//! W2: the interface of the engine.

use crate::card::{Experiment, Risk, steps};

/// The card of W2.
pub static W2: Experiment = Experiment {
    id: "W2",
    title: "the interface of the engine",
    page: include_str!("w2.md"),
    risk: Risk::Safe,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::{Bench, Stop};
    use mil_apple::mle5::bench::CLASSES;

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let lines = bench.methods_of(&CLASSES);
        bench.found("methods", lines.len());
        bench.dump("mle5-selectors", lines);
        Ok(())
    }
}
