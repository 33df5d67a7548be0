//! v2-2: the symbols of a loaded program.

use crate::card::{Experiment, Risk, steps};

/// The card of v2-2.
pub static V2_2: Experiment = Experiment {
    id: "v2-2",
    title: "the symbols of a loaded program",
    page: include_str!("v2_2.md"),
    risk: Risk::Safe,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::kernel::Kernel;
    use crate::bench::{Bench, Stop};

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let kernel = Kernel::smallest(1)?;
        let inner = kernel.inner()?;
        bench.found("input symbols", inner.input_symbols(0)?.len());
        bench.found("output symbols", inner.output_symbols(0)?.len());
        bench.found("state", inner.state()?.to_string());
        Ok(())
    }
}
