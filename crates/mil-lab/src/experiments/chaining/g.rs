//! G: types of events.

use crate::card::{Experiment, Risk, steps};

/// The card of G.
pub static G: Experiment = Experiment {
    id: "G",
    title: "types of events",
    page: include_str!("g.md"),
    risk: Risk::Safe,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::{Bench, Stop};
    use mil_apple::ane::{SharedEvent, SignalEvent};

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let event = SharedEvent::new()?;
        for kind in 0..3 {
            bench.attempt(format!("type {kind}"), SignalEvent::new(1, 0, kind, &event));
        }
        Ok(())
    }
}
