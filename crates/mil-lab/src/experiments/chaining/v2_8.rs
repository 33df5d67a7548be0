//! v2-8: the methods of _ANEModel.

use crate::card::{Experiment, Risk, steps};

/// The card of v2-8.
pub static V2_8: Experiment = Experiment {
    id: "v2-8",
    title: "the methods of _ANEModel",
    page: include_str!("v2_8.md"),
    risk: Risk::Safe,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::{Bench, Stop};
    use mil_apple::objc::probe;

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let lines = probe::dump("_ANEModel")?;
        let class = lines.iter().filter(|l| l.starts_with('+')).count();
        bench.found("class methods", class);
        bench.found("instance methods", lines.len() - class);
        bench.found("-[_ANEModel getUUID]", probe::exists("-[_ANEModel getUUID]"));
        bench.dump("_ANEModel", lines);
        Ok(())
    }
}
