//! v2-10: shared events can be made.

use crate::card::{Experiment, Risk, steps};

/// The card of v2-10.
pub static V2_10: Experiment = Experiment {
    id: "v2-10",
    title: "shared events can be made",
    page: include_str!("v2_10.md"),
    risk: Risk::Safe,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::{Bench, Stop};
    use mil_apple::ane::{SharedEvent, SharedEvents, SignalEvent, WaitEvent};

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let event = SharedEvent::new()?;
        let signal = bench.attempt("signal event", SignalEvent::new(1, 0, 0, &event));
        let wait = bench.attempt("wait event", WaitEvent::new(1, &event));
        if let (Some(signal), Some(wait)) = (signal, wait) {
            bench.attempt("shared events", SharedEvents::new(&[signal], &[wait]));
        }
        Ok(())
    }
}
