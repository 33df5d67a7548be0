//! W4: submitting a stream.

use crate::card::{Experiment, Risk, steps};

/// The card of W4.
pub static W4: Experiment = Experiment {
    id: "W4",
    title: "submitting a stream",
    page: include_str!("w4.md"),
    risk: Risk::OWN_OPERATIONS,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::{Bench, Stop};
    use crate::layer;
    use mil_apple::mle5::stream::{Handle, StreamOptions, Submit};

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let (program, engine) = layer::engine()?;
        let cases = [
            ("submit a fresh stream", Submit::Fresh),
            ("submit a used stream", Submit::Used),
            ("submit after a reset", Submit::AfterReset),
        ];
        for (name, submit) in cases {
            let options = StreamOptions { submit, ..StreamOptions::default() };
            let report = engine.stream(&[Handle::Real], program.inputs(), &options)?;
            match report.submitted {
                Some(result) => drop(bench.attempt(name, result)),
                None => bench.found(name, "it was not submitted"),
            }
        }
        Ok(())
    }
}
