//! W1: every path against MLModel.

use crate::card::{Experiment, Risk, steps};

/// The card of W1.
pub static W1: Experiment = Experiment {
    id: "W1",
    title: "every path against MLModel",
    page: include_str!("w1.md"),
    risk: Risk::Safe,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::equality;
    use crate::bench::{Bench, Stop};
    use crate::layer;
    use mil_apple::Kind;

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        for channels in [256, 2048] {
            let program = layer::program(channels)?;
            let size = format!("{channels} channels");
            let results = bench.on_every_runtime(&program, &size)?;
            let of = |kind: Kind| results.iter().find(|(k, _)| *k == kind).map(|(_, outputs)| outputs);
            if let (Some(engine), Some(model)) = (of(Kind::Mle5), of(Kind::CoreMl)) {
                bench.found(format!("mle5 equal to coreml {size}"), equality(engine, model));
            }
        }
        Ok(())
    }
}
