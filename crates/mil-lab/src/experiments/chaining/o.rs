//! O: what a shell knows of its procedures.

use crate::card::{Experiment, Risk, steps};

/// The card of O.
pub static O: Experiment = Experiment {
    id: "O",
    title: "what a shell knows of its procedures",
    page: include_str!("o.md"),
    risk: Risk::Safe,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::kernel::Kernel;
    use crate::bench::{Bench, Stop};
    use mil_apple::ane::ClientModel;
    use mil_apple::stage::Stage;

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let kernel = Kernel::smallest(1)?;
        let stage = Stage::new()?;
        let shell = ClientModel::shell(stage.path(), &kernel.model().identifier()?)?;
        bench.answer("shell, procedure known", shell.has_procedure(0));
        bench.found("shell, input symbols", shell.input_symbols(0)?.len());
        bench.found("loaded, input symbols", kernel.inner()?.input_symbols(0)?.len());
        Ok(())
    }
}
