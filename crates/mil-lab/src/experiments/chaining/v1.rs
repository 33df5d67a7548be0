//! v1: two kernels one after the other, and a first chaining request.

use crate::card::{Experiment, Risk, steps};

/// The card of v1.
pub static V1: Experiment = Experiment {
    id: "v1",
    title: "two kernels one after the other, and a first chaining request",
    page: include_str!("v1.md"),
    risk: Risk::Safe,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::kernel::Kernel;
    use crate::bench::{Bench, Stop};
    use mil_apple::ane::Route;
    use mil_apple::ane::chaining::{ChainingRequest, Parts, PlainSurface};

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let (mut first, mut second) = (Kernel::smallest(1)?, Kernel::smallest(2)?);
        let between = first.compute(Route::Standard)?;
        let wanted = second.cpu(&first.wanted())?;
        second.write(&between)?;
        let bytes = second.compute(Route::Standard)?;
        let size = first.size.clone();
        bench.compare("pair", &second.named(&bytes)?, &wanted, &size);
        bench.time("pair of kernels", "standard", &size, || {
            let between = first.compute(Route::Standard)?;
            second.write(&between)?;
            second.compute(Route::Standard)?;
            Ok(())
        })?;
        let plain = [PlainSurface::new(first.bytes())?, PlainSurface::new(first.bytes())?];
        let request = ChainingRequest::new(&Parts::new(vec![plain[0].object()], vec![plain[1].object()]))?;
        bench.outcome("validate with plain surfaces", &request.validate());
        Ok(())
    }
}
