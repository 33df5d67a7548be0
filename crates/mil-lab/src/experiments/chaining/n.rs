//! N: mapping surfaces beforehand.

use crate::card::{Experiment, Risk, steps};

/// The card of N.
pub static N: Experiment = Experiment {
    id: "N",
    title: "mapping surfaces beforehand",
    page: include_str!("n.md"),
    risk: Risk::Safe,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::kernel::Kernel;
    use crate::bench::{Bench, Stop};
    use mil_apple::ane::chaining::Outcome;
    use mil_apple::ane::{Client, Mapper};

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let mut kernel = Kernel::smallest(1)?;
        let inner = kernel.inner()?;
        let mapper = Mapper::of_program(inner.program_handle()?)?;
        let mapped = Outcome::from(mapper.map(&inner, kernel.request()));
        bench.outcome("mapper", &mapped);
        bench.attempt("client maps", Client::shared()?.map(&inner, kernel.request()));
        let model = kernel.model().clone();
        bench.attempt("model maps", model.map(kernel.request().object()));
        Ok(())
    }
}
