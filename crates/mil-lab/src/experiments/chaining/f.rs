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
    use crate::bench::kernel::{Kernel, QOS};
    use crate::bench::{Bench, Stop};
    use mil_apple::ane::Client;
    use mil_apple::ane::chaining::{self, Buffer, ChainingRequest, OutputSet, Parts, Value};

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let kernel = Kernel::new(64, 32, 1)?;
        let (input, output) = (Buffer::new(kernel.bytes(), 0, 0)?, Buffer::new(kernel.bytes(), 0, 0)?);
        let set = OutputSet::new(&[&output])?;
        let mut parts = Parts::new(vec![input.object()], vec![set.object()]);
        (parts.loopback_inputs, parts.loopback_outputs) = (Value::Number(0), Value::Number(0));
        let request = ChainingRequest::new(&parts)?;
        let outcome = chaining::prepare(&Client::shared()?, &kernel.inner()?, &request, QOS);
        bench.outcome("prepare with numbers", &outcome);
        Ok(())
    }
}
