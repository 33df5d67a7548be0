//! F: numbers where arrays of loopback symbols belong.

use crate::card::{Experiment, Risk, steps};

/// The card of F.
pub static F: Experiment = Experiment {
    id: "F",
    title: "numbers where arrays of loopback symbols belong",
    page: include_str!("f.md"),
    risk: Risk::WRONG_OBJECTS,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::kernel::QOS;
    use crate::bench::link::Link;
    use crate::bench::{Bench, Stop};
    use mil_apple::ane::Client;
    use mil_apple::ane::chaining::{self, ChainingRequest, Value};

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let link = Link::new()?;
        let mut parts = link.parts();
        (parts.loopback_inputs, parts.loopback_outputs) = (Value::Number(0), Value::Number(0));
        let request = ChainingRequest::new(&parts)?;
        let outcome = chaining::prepare(&Client::shared()?, &link.kernel.inner()?, &request, QOS);
        bench.outcome("prepare with numbers", &outcome);
        Ok(())
    }
}
