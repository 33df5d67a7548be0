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
    use crate::bench::kernel::{Kernel, QOS};
    use crate::bench::{Bench, Stop};
    use mil_apple::ane::chaining::{self, Buffer, ChainingRequest, OutputSet, Parts};
    use mil_apple::ane::{Client, ClientModel};

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let kernel = Kernel::new(64, 32, 1)?;
        let (input, output) = (Buffer::new(kernel.bytes(), 0, 0)?, Buffer::new(kernel.bytes(), 0, 0)?);
        let set = OutputSet::new(&[&output])?;
        let request = ChainingRequest::new(&Parts::new(vec![input.object()], vec![set.object()]))?;
        bench.outcome("validate", &request.validate());
        let model = ClientModel::in_memory(kernel.model());
        bench.outcome(
            "prepare with the model in memory",
            &chaining::prepare(&Client::shared()?, &model, &request, QOS),
        );
        Ok(())
    }
}
