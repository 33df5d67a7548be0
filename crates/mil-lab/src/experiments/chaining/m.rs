//! M: the client compiles and loads a shell.

use crate::card::{Experiment, Risk, steps};

/// The card of M.
pub static M: Experiment = Experiment {
    id: "M",
    title: "the client compiles and loads a shell",
    page: include_str!("m.md"),
    risk: Risk::Safe,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::kernel::{Kernel, QOS};
    use crate::bench::{Bench, Stop};
    use mil_apple::ane::{Client, ClientModel};
    use mil_apple::stage::Stage;

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let kernel = Kernel::smallest(1)?;
        let stage = Stage::new()?;
        let shell = ClientModel::shell(stage.path(), &kernel.model().identifier()?)?;
        let client = Client::shared()?;
        bench.attempt("compile", client.compile(&shell, QOS));
        bench.attempt("load", client.load(&shell, QOS));
        bench.found("state", shell.state()?.to_string());
        Ok(())
    }
}
