//! v2-4: plain surfaces in a chain; the client evaluates.

use crate::card::{Experiment, Risk, steps};

/// The card of v2-4.
pub static V2_4: Experiment = Experiment {
    id: "v2-4",
    title: "plain surfaces in a chain; the client evaluates",
    page: include_str!("v2_4.md"),
    risk: Risk::WRONG_OBJECTS,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::kernel::{Kernel, QOS};
    use crate::bench::{Bench, Stop};
    use mil_apple::ane::chaining::{self, Buffer, ChainingRequest, OutputSet, Parts, PlainSurface};
    use mil_apple::ane::{Client, Route};

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let mut kernel = Kernel::smallest(1)?;
        let (client, inner) = (Client::shared()?, kernel.inner()?);
        let plain = PlainSurface::new(kernel.bytes())?;
        let buffer = Buffer::new(kernel.bytes(), 0, 0)?;
        let set = OutputSet::new(&[&buffer])?;
        let request = ChainingRequest::new(&Parts::new(vec![plain.object()], vec![set.object()]))?;
        bench.outcome("prepare with plain surfaces", &chaining::prepare(&client, &inner, &request, QOS));
        bench.attempt("output set without statistics", OutputSet::without_statistics(&[&buffer]));
        bench.attempt("client evaluates", client.evaluate(&inner, kernel.request(), QOS));
        kernel.prove(bench, Route::Direct)
    }
}
