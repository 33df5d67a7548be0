//! P: prepare with three models, and the contradicted success.

use crate::card::{Experiment, Risk, steps};

/// The card of P.
pub static P: Experiment = Experiment {
    id: "P",
    title: "prepare with three models, and the contradicted success",
    page: include_str!("p.md"),
    risk: Risk::WRONG_OBJECTS,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::kernel::QOS;
    use crate::bench::link::Link;
    use crate::bench::{Bench, Stop};
    use mil_apple::ane::chaining::{self, InputsReady, OutputEnqueue};
    use mil_apple::ane::{Client, ClientModel};
    use mil_apple::stage::Stage;

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let link = Link::new()?;
        let request = link.request()?;
        let (shared, stage) = (Client::shared()?, Stage::new()?);
        let mut shell = ClientModel::shell(stage.path(), &link.kernel.model().identifier()?)?;
        bench.outcome("fresh shell", &chaining::prepare(&shared, &shell, &request, QOS));
        let memory = ClientModel::in_memory(link.kernel.model());
        bench.outcome("model in memory", &chaining::prepare(&shared, &memory, &request, QOS));
        shell.populate(link.kernel.model())?;
        bench.outcome("populated shell", &chaining::prepare(&shared, &shell, &request, QOS));
        let (fresh, inner) = (Client::fresh()?, link.kernel.inner()?);
        bench.outcome("fresh connection, inner model", &chaining::prepare(&fresh, &inner, &request, QOS));
        let ready = InputsReady::new(0, &[0], &[0], 0)?;
        bench.outcome("buffersReady", &chaining::buffers_ready(&fresh, &inner, &ready, QOS));
        let enqueue = OutputEnqueue::new(0, 0, 1, false)?;
        bench.outcome("enqueueSets", &chaining::enqueue(&fresh, &inner, &enqueue, QOS));
        Ok(())
    }
}
