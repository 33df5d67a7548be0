//! v2-5: real-time evaluation and performance statistics.

use crate::card::{Experiment, Risk, steps};

/// The card of v2-5.
pub static V2_5: Experiment = Experiment {
    id: "v2-5",
    title: "real-time evaluation and performance statistics",
    page: include_str!("v2_5.md"),
    risk: Risk::Safe,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::kernel::Kernel;
    use crate::bench::{Bench, Stop};
    use mil_apple::ane::{Client, Route};

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let mut kernel = Kernel::smallest(1)?;
        kernel.prove(bench, Route::Standard)?;
        bench.answer("beginRealTimeTask", Client::shared()?.begin_real_time_task());
        bench.answer("real-time call", kernel.evaluate(Route::RealTime));
        kernel.prove(bench, Route::RealTime)?;
        bench.answer("statistics", kernel.request().has_statistics());
        Ok(())
    }
}
