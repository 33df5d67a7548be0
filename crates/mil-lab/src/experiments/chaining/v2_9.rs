//! v2-9: processRequest, the lowest route.

use crate::card::{Experiment, Risk, steps};

/// The card of v2-9.
pub static V2_9: Experiment = Experiment {
    id: "v2-9",
    title: "processRequest, the lowest route",
    page: include_str!("v2_9.md"),
    risk: Risk::Safe,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::kernel::Kernel;
    use crate::bench::{Bench, Stop};
    use mil_apple::ane::Route;

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        Kernel::smallest(1)?.prove(bench, Route::ProcessRequest)
    }
}
