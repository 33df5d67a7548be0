//! shared-events: a request with shared events.

use crate::card::{Experiment, Risk, steps};

/// The card of shared-events.
pub static SHARED_EVENTS: Experiment = Experiment {
    id: "shared-events",
    title: "a request with shared events",
    page: include_str!("shared_events.md"),
    risk: Risk::MayHang("a request with shared events was seen never to come back"),
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::kernel::Kernel;
    use crate::bench::{Bench, Stop};
    use mil_apple::ane::{Route, SharedEvent, SharedEvents, SignalEvent};

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let mut kernel = Kernel::smallest(1)?;
        let event = SharedEvent::new()?;
        let events = SharedEvents::new(&[SignalEvent::new(1, 0, 0, &event)?], &[])?;
        kernel.request().attach_events(events.object())?;
        bench.answer("processRequest with events", kernel.evaluate(Route::ProcessRequest));
        bench.answer("standard with events", kernel.evaluate(Route::Standard));
        Ok(())
    }
}
