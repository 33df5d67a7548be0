//! U: several operations in one stream: the retracted 4.87x.

use crate::card::{Experiment, Risk, steps};

/// The card of U.
pub static U: Experiment = Experiment {
    id: "U",
    title: "several operations in one stream: the retracted 4.87x",
    page: include_str!("u.md"),
    risk: Risk::OWN_OPERATIONS,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::{Bench, Stop};
    use crate::layer;
    use crate::observation::Spread;
    use mil_apple::mle5::stream::{Handle, StreamOptions};

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let (program, engine) = layer::engine()?;
        let inputs = program.inputs();
        let options = StreamOptions { repeats: 20, ..StreamOptions::default() };
        for n in 1..=4 {
            for (name, handle) in [("fabricated", Handle::Zero), ("prepared", Handle::Real)] {
                let report = engine.stream(&vec![handle; n], inputs, &options)?;
                let name = format!("{name}, {n} operations");
                bench.attempt(format!("{name}, executed"), report.executed);
                let wrote = report.operations.iter().filter(|o| o.wrote_something()).count();
                bench.found(format!("{name}, wrote"), wrote);
                let times = report.times.iter().map(|t| t.as_secs_f64() * 1e3).collect();
                if let Some(spread) = Spread::of(times) {
                    bench.figure("stream", &name, "", "ms", spread);
                }
            }
            bench.time("predictions", &format!("{n} predictions"), "", || {
                (0..n).try_for_each(|_| Ok(engine.predict(inputs).map(drop)?))
            })?;
        }
        Ok(())
    }
}
