//! H: prepare and doPrepare.

use crate::card::{Experiment, Risk, steps};

/// The card of H.
pub static H: Experiment = Experiment {
    id: "H",
    title: "prepare and doPrepare",
    page: include_str!("h.md"),
    risk: Risk::WRONG_OBJECTS,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::kernel::{Kernel, QOS};
    use crate::bench::{Bench, Stop};
    use mil_apple::ane::Client;
    use mil_apple::ane::chaining::{self, Buffer, ChainingRequest, OutputSet, Parts};

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let kernel = Kernel::new(64, 32, 1)?;
        let (input, output) = (Buffer::new(kernel.bytes(), 0, 0)?, Buffer::new(kernel.bytes(), 0, 0)?);
        let set = OutputSet::new(&[&output])?;
        let request = ChainingRequest::new(&Parts::new(vec![input.object()], vec![set.object()]))?;
        let (client, inner) = (Client::shared()?, kernel.inner()?);
        let prepared = chaining::prepare(&client, &inner, &request, QOS);
        let done = chaining::do_prepare(&client, &inner, &request, QOS);
        bench.outcome("prepare", &prepared);
        bench.outcome("doPrepare", &done);
        bench.found("the same", prepared == done);
        Ok(())
    }
}
