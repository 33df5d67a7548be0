//! v2-7: a request that validates, and what prepare does with a model in memory.

use crate::card::{Experiment, Risk, steps};

/// The card of v2-7.
pub static V2_7: Experiment = Experiment {
    id: "v2-7",
    title: "a request that validates, and what prepare does with a model in memory",
    page: include_str!("v2_7.md"),
    risk: Risk::WRONG_OBJECTS,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::kernel::QOS;
    use crate::bench::link::Link;
    use crate::bench::{Bench, Stop};
    use mil_apple::ane::chaining;
    use mil_apple::ane::{Client, ClientModel};

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let link = Link::new()?;
        let request = link.request()?;
        bench.outcome("validate", &request.validate());
        let model = ClientModel::in_memory(link.kernel.model());
        bench.outcome(
            "prepare with the model in memory",
            &chaining::prepare(&Client::shared()?, &model, &request, QOS),
        );
        Ok(())
    }
}
