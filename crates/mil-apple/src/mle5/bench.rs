//! The engine on the bench, for experiments: what was found on the way to it, and streams of operations driven by hand.
//!
//! ```no_run
//! # fn experiment(checked: std::sync::Arc<mil_check::Checked>, inputs: Vec<mil_run::Named>) -> Result<(), mil_apple::BridgeError> {
//! use mil_apple::mle5::{Mle5Options, bench::Bench, stream::{Handle, StreamOptions, Submit}};
//! let bench = Bench::open(checked, None, Mle5Options::default())?;
//! println!("{}", bench.inspect().way);
//! // Experiment U: four operations that were only fabricated. They report success and write nothing.
//! let report = bench.stream(&[Handle::Zero; 4], &inputs, &StreamOptions::default())?;
//! assert!(report.executed.is_ok() && report.operations.iter().all(|op| !op.wrote_something()));
//! // Experiment W4: a used stream takes no more.
//! let again = StreamOptions { submit: Submit::Used, ..StreamOptions::default() };
//! let report = bench.stream(&[Handle::Real], &inputs, &again)?;
//! # Ok(())
//! # }
//! ```
//!
//! Real handles are made by the operation itself when it is prepared; a zero one is what the research's fabricated
//! operations had. Handing operations of one's own to a stream may crash the process on a Mac: make these calls in a worker.

use super::container::Way;
use super::engine::Initialiser;
use super::stream::{self, Handle, StreamOptions, StreamReport};
use super::{Library, Mle5Options, ready};
use crate::coreml::session::Ready;
use crate::error::BridgeError;
use crate::objc::{autoreleasepool, probe};
use crate::symbols::{self, ESPRESSO};
use mil_check::Checked;
use mil_run::{Named, RunError, find_function};
use std::sync::Arc;

/// The classes that the research looked at (experiments T and W2).
pub const CLASSES: [&str; 12] = [
    "MLE5Engine",
    "MLE5ProgramLibrary",
    "MLE5ProgramLibraryOnDeviceAOTCompilationImpl",
    "MLE5ExecutionStream",
    "MLE5ExecutionStreamPool",
    "MLE5ExecutionStreamOperation",
    "MLE5StaticShapeExecutionStreamOperationPool",
    "MLE5InputPort",
    "MLE5InputPortBinder",
    "MLE5OutputPort",
    "MLE5OutputPortBinder",
    "MLProgramE5Container",
];

/// C functions beneath the engine whose presence tells which interface a system has (experiment T).
pub const SYMBOLS: [&str; 4] = [
    "e5rt_e5_compiler_create_with_config",
    "e5rt_program_library_retain_program_function",
    "e5rt_execution_stream_create",
    "e5rt_execution_stream_operation_retain_input_port",
];

/// A private class, as this system has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClassFacts {
    /// Its name.
    pub name: &'static str,
    /// How many methods its objects have of their own; nothing if there is no such class.
    pub methods: Option<usize>,
}

/// What was found on the way to an engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inspection {
    /// The class of the host model, `MLDelegateModel`.
    pub host_class: String,
    /// The class of its internal engine; empty if it has none.
    pub internal_engine: String,
    /// How the container was come by.
    pub way: Way,
    /// The initialiser that the engine was made with.
    pub initialiser: Initialiser,
    /// [`CLASSES`].
    pub classes: Vec<ClassFacts>,
    /// [`SYMBOLS`], and whether they are exported.
    pub symbols: Vec<(&'static str, bool)>,
}

/// A function of a program in an engine of its own.
#[derive(Debug)]
pub struct Bench {
    library: Library,
    ready: Ready,
    checked: Arc<Checked>,
}

impl Bench {
    /// Compiles the program and makes the engine of one function (the default one for `None`).
    ///
    /// Errors: as for loading it with the runtime.
    pub fn open(
        checked: Arc<Checked>,
        function: Option<&str>,
        options: Mle5Options,
    ) -> Result<Bench, BridgeError> {
        let id = find_function(&checked, function).map_err(refused)?;
        let library = Library::compile(&checked, options.units, Initialiser::here()?)?;
        let ready = ready(&checked, &library, id)?;
        Ok(Bench { library, ready, checked })
    }

    /// What was found.
    pub fn inspect(&self) -> Inspection {
        let methods = |name: &str| probe::class(name).ok().map(|c| c.instance_methods().len());
        let espresso = symbols::Library::open(ESPRESSO).ok();
        let exported = |name: &str| espresso.as_ref().is_some_and(|l| l.symbol(name).is_ok());
        Inspection {
            host_class: self.library.host_class.clone(),
            internal_engine: self.library.internal_engine.clone(),
            way: self.library.way.clone(),
            initialiser: self.library.initialiser,
            classes: CLASSES.iter().map(|&name| ClassFacts { name, methods: methods(name) }).collect(),
            symbols: SYMBOLS.iter().map(|&name| (name, exported(name))).collect(),
        }
    }

    /// Predicts once with the engine itself, the reference for what a stream does.
    pub fn predict(&self, inputs: &[Named]) -> Result<Vec<Named>, BridgeError> {
        let inputs = self.matched(inputs)?;
        self.ready.predictor.predict(&self.ready.ports, &inputs, None, super::Backings::Ours)
    }

    /// Puts operations into one stream, one for each handle, and executes it; what each step did is in the report.
    ///
    /// Errors: a class or method that is missing, so that there was nothing to try; inputs that do not fit.
    pub fn stream(
        &self,
        handles: &[Handle],
        inputs: &[Named],
        options: &StreamOptions,
    ) -> Result<StreamReport, BridgeError> {
        let inputs = self.matched(inputs)?;
        autoreleasepool(|_| {
            let parts = stream::Parts {
                engine: self.ready.predictor.target(),
                library: &self.library,
                ports: &self.ready.ports,
            };
            stream::run(&parts, handles, &inputs, options)
        })
    }

    fn matched(&self, inputs: &[Named]) -> Result<Vec<Named>, BridgeError> {
        let id = self.ready.function;
        let f = &self.checked.program().functions[id];
        let matched = mil_run::match_inputs(&self.checked, id, inputs).map_err(refused)?;
        Ok(matched.into_iter().map(|(v, t)| (f.values[v].name.clone(), t)).collect())
    }
}

fn refused(error: RunError) -> BridgeError {
    let first = error.diagnostics().into_iter().next();
    let fault = || mil_base::Diagnostic::error(crate::codes::UNSUPPORTED, error.to_string());
    BridgeError::Refused(Box::new(first.unwrap_or_else(fault)))
}
