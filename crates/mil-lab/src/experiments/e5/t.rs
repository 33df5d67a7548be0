//! T: symbols and sizes of the engine's classes.

use crate::card::{Experiment, Risk, steps};

/// The card of T.
pub static T: Experiment = Experiment {
    id: "T",
    title: "symbols and sizes of the engine's classes",
    page: include_str!("t.md"),
    risk: Risk::Safe,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::{Bench, Stop};
    use crate::layer;

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let (_, engine) = layer::engine()?;
        let found = engine.inspect();
        bench.found("symbols found", found.symbols.iter().filter(|(_, here)| *here).count());
        bench.found("classes found", found.classes.iter().filter(|c| c.methods.is_some()).count());
        for class in &found.classes {
            if let Some(methods) = class.methods {
                bench.found(format!("methods of {}", class.name), methods);
            }
        }
        Ok(())
    }
}
