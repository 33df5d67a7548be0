//! L: combinations of nil, arrays and numbers.

use crate::card::{Experiment, Risk, steps};

/// The card of L.
pub static L: Experiment = Experiment {
    id: "L",
    title: "combinations of nil, arrays and numbers",
    page: include_str!("l.md"),
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
        let (client, inner) = (Client::shared()?, link.kernel.inner()?);
        let (none, number, array) = (Value::Nil, Value::Number(0), Value::Numbers(vec![0]));
        let combinations = [
            ("all nil", &none, &none, &none),
            ("right kinds", &array, &number, &number),
            ("numbers for loops", &number, &number, &number),
            ("array for procedure", &array, &array, &number),
            ("nil loops, numbers elsewhere", &none, &number, &number),
        ];
        for (name, loops, procedure, rest) in combinations {
            let mut parts = link.parts();
            (parts.loopback_inputs, parts.loopback_outputs) = (loops.clone(), loops.clone());
            parts.procedure = procedure.clone();
            (parts.transaction, parts.delay, parts.pool) = (rest.clone(), rest.clone(), rest.clone());
            let request = ChainingRequest::new(&parts)?;
            bench.outcome(name, &chaining::prepare(&client, &inner, &request, QOS));
        }
        Ok(())
    }
}
