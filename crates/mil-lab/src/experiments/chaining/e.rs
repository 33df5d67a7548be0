//! E: a model shell over the staged folder.

use crate::card::{Experiment, Risk, steps};

/// The card of E.
pub static E: Experiment = Experiment {
    id: "E",
    title: "a model shell over the staged folder",
    page: include_str!("e.md"),
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
        let (stage, key) = (Stage::new()?, kernel.model().identifier()?);
        let mut shell = ClientModel::shell(stage.path(), &key)?;
        bench.found("state", shell.state()?.to_string());
        bench.attempt("populated", shell.populate(kernel.model()));
        bench.found("input symbols", shell.input_symbols(0)?.len());
        bench.found("output symbols", shell.output_symbols(0)?.len());
        bench.answer("procedure known", shell.has_procedure(0));
        Ok(())
    }
}
