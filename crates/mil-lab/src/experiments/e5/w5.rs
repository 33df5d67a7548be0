//! W5: how ports are bound.

use crate::card::{Experiment, Risk, steps};

/// The card of W5.
pub static W5: Experiment = Experiment {
    id: "W5",
    title: "how ports are bound",
    page: include_str!("w5.md"),
    risk: Risk::OWN_OPERATIONS,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::{Bench, Stop};
    use crate::layer;
    use mil_apple::mle5::stream::{Handle, StreamOptions};

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let (program, engine) = layer::engine()?;
        let report = engine.stream(&[Handle::Real], program.inputs(), &StreamOptions::default())?;
        bench.attempt("executed", report.executed);
        let ports: Vec<_> = report.operations.into_iter().flat_map(|o| o.ports).collect();
        bench.found("ports", ports.len().to_string());
        for port in ports {
            let mode = port.mode.map_or_else(|| "not told".to_owned(), |m| m.to_string());
            let direct = port
                .direct
                .map_or_else(|| "not told".to_owned(), |d| if d { "YES" } else { "NO" }.to_owned());
            bench.found(format!("{}, binding mode", port.name), mode);
            bench.found(format!("{}, bound directly", port.name), direct);
        }
        Ok(())
    }
}
