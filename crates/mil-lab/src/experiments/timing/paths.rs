//! bench-paths: four routes at five sizes.

use crate::card::{Experiment, Risk, steps};

/// The card of bench-paths.
pub static BENCH_PATHS: Experiment = Experiment {
    id: "bench-paths",
    title: "four routes at five sizes",
    page: include_str!("paths.md"),
    risk: Risk::Safe,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::kernel::Kernel;
    use crate::bench::{Bench, Stop};
    use mil_apple::ane::Route;

    const SIZES: [(usize, usize); 5] = [(64, 32), (128, 64), (256, 64), (512, 64), (768, 256)];

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        for (channels, positions) in SIZES {
            let mut kernel = Kernel::new(channels, positions, 1)?;
            for route in Route::ALL {
                kernel.prove(bench, route)?;
            }
        }
        Ok(())
    }
}
