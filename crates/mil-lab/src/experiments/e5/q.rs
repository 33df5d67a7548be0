//! Q: where Core ML keeps its engine.

use crate::card::{Experiment, Risk, steps};

/// The card of Q.
pub static Q: Experiment = Experiment {
    id: "Q",
    title: "where Core ML keeps its engine",
    page: include_str!("q.md"),
    risk: Risk::Safe,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::{Bench, Stop};
    use crate::layer;

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let (_, engine) = layer::engine()?;
        let found = engine.inspect();
        bench.found("host model", found.host_class);
        bench.found("internal engine", found.internal_engine);
        bench.found("way to the container", found.way.to_string());
        bench.found("initialiser of the engine", format!("{:?}", found.initialiser));
        Ok(())
    }
}
