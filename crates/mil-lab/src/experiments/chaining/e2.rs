//! E2: ANECompiler.framework.

use crate::card::{Experiment, Risk, steps};

/// The card of E2.
pub static E2: Experiment = Experiment {
    id: "E2",
    title: "ANECompiler.framework",
    page: include_str!("e2.md"),
    risk: Risk::Safe,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::{Bench, Stop};
    use mil_apple::symbols::Library;

    const FRAMEWORK: &str = "/System/Library/PrivateFrameworks/ANECompiler.framework/ANECompiler";

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let library = Library::open(FRAMEWORK)?;
        bench.attempt("ANECCompile", library.symbol("ANECCompile"));
        Ok(())
    }
}
