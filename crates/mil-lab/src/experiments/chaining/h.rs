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
    use crate::bench::kernel::QOS;
    use crate::bench::link::Link;
    use crate::bench::{Bench, Stop};
    use mil_apple::ane::Client;
    use mil_apple::ane::chaining;

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let link = Link::new()?;
        let request = link.request()?;
        let (client, inner) = (Client::shared()?, link.kernel.inner()?);
        let prepared = chaining::prepare(&client, &inner, &request, QOS);
        let done = chaining::do_prepare(&client, &inner, &request, QOS);
        bench.outcome("prepare", &prepared);
        bench.outcome("doPrepare", &done);
        bench.found("the same", prepared == done);
        Ok(())
    }
}
