//! Runs cases on the runtimes.

use crate::case::Case;
use mil_base::{Name, Tensor};
use mil_run::{Cpu, Options, Reference, RunError, Runtime};
use std::sync::Arc;

/// A runtime with the options it is tried with.
pub struct Engine {
    /// For messages: `cpu, 2 threads`.
    pub name: &'static str,
    /// The runtime.
    pub runtime: Box<dyn Runtime>,
    /// How it loads programs.
    pub options: Options,
}

/// The definition of every op, in f64.
pub fn reference() -> Engine {
    Engine { name: "reference", runtime: Box::new(Reference), options: Options::default() }
}

/// The cpu runtime in the ways it can work: with and without fusion, with one thread and two, with every compressed weight
/// expanded in every run.
pub fn cpus() -> Vec<Engine> {
    let cpu = |name, threads, fusion| Engine {
        name,
        runtime: Box::new(Cpu),
        options: Options { threads, fusion, ..Options::default() },
    };
    let mut compressed = cpu("cpu with compressed weights", 2, true);
    compressed.options.expand_up_to = 0;
    vec![
        cpu("cpu", 1, true),
        cpu("cpu without fusion", 1, false),
        cpu("cpu with two threads", 2, true),
        compressed,
    ]
}

impl Engine {
    /// The outputs of the case's function for these inputs, and its states afterwards.
    pub fn run(&self, case: &Case, inputs: &[(Name, Tensor)]) -> Result<Vec<(Name, Tensor)>, RunError> {
        let loaded = self.runtime.load(Arc::new(case.checked.clone()), &self.options)?;
        let name = case.checked.program().functions[case.function].name.clone();
        let mut session = loaded.session(Some(&name))?;
        for (name, value) in &case.states {
            session.set_state(name, value)?;
        }
        let mut outputs = session.run(inputs)?;
        outputs.extend(session.states());
        Ok(outputs)
    }
}
