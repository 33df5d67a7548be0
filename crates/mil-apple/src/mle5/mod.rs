//! Core ML's own engine for ML Programs, from text: the research's path (`facts/ane-facts.md` 1.3), of private classes.
//!
//! A model with the program's names and shapes is made and loaded ([`host`]), its container is found ([`container`]), the
//! program's text is compiled against it and given to an engine ([`engine`]), and the engine predicts from features as a
//! model does. Where it runs, nobody says: neither this path nor the research ever proved the Neural Engine, hence
//! `Unproven`. Nothing of this has been confirmed on hardware.
//!
//! Older systems: an engine with fewer arguments is used as it is; a container that is in none of the known places is made,
//! and else left out. Without the classes themselves (before macOS 14) the runtime does not start, and `coreml` runs the
//! same program.
//!
//! **For experiments** below the runtime: [`bench::Bench`] tells what was found and drives streams of operations by hand.

pub mod bench;
pub mod container;
pub mod engine;
pub mod host;
pub mod opaque;
pub mod stream;

use crate::coreml::model::{Bundle, ComputeUnits, configuration};
use crate::coreml::ports;
use crate::coreml::predict::{Backings, Calls, Predictor};
use crate::coreml::session::{FeatureSession, Functions, Ready};
use crate::error::BridgeError;
use crate::ground::GROUND;
use crate::objc::{AnyObject, Obj, Shared, autoreleasepool};
use crate::{runtime_name, stage, tell};
use engine::Initialiser;
use mil_check::Checked;
use mil_ir::FunctionId;
use mil_run::{Claim, Ground, Loaded, Options, Placement, RunError, Runtime, Session};
use std::sync::Arc;

static CALLS: Calls = Calls {
    plain: "-[MLE5Engine predictionFromFeatures:options:error:]",
    stateful: "-[MLE5Engine predictionFromFeatures:usingState:options:error:]",
};

/// Why it is not known where a program ran.
const UNPROVEN: &str =
    "the engine may use any device and does not say which; neither did the research prove one";

/// How the engine is to run programs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Mle5Options {
    /// The devices it may use.
    pub units: ComputeUnits,
    /// Whose arrays outputs are written into.
    pub backings: Backings,
}

/// The runtime `mle5`, which may use every device.
///
/// Errors: `apple/missing-class` or `apple/missing-selector` where the system has no such engine.
pub fn runtime() -> Result<Box<dyn Runtime>, BridgeError> {
    runtime_with(Mle5Options::default())
}

/// The runtime `mle5` with options.
pub fn runtime_with(options: Mle5Options) -> Result<Box<dyn Runtime>, BridgeError> {
    Ok(Box::new(Mle5 { options, initialiser: Initialiser::here()? }))
}

struct Mle5 {
    options: Mle5Options,
    initialiser: Initialiser,
}

impl Runtime for Mle5 {
    fn name(&self) -> &'static str {
        runtime_name!("mle5")
    }

    /// Makes the host model, compiles the text, and makes the default function's engine if there is one. Threads and memory are
    /// the framework's business.
    fn load(&self, checked: Arc<Checked>, _: &Options) -> Result<Arc<dyn Loaded>, RunError> {
        let library = Library::compile(&checked, self.options.units, self.initialiser)?;
        let loaded = LoadedMle5 { checked, library, options: self.options, functions: Functions::default() };
        if loaded.checked.program().default_function().is_some() {
            loaded.ready(None)?;
        }
        Ok(Arc::new(loaded))
    }
}

/// A compiled program, and the host model that it borrows from.
#[derive(Debug)]
pub(crate) struct Library {
    host: Bundle,
    units: ComputeUnits,
    initialiser: Initialiser,
    object: Shared,
    way: container::Way,
    internal_engine: String,
    host_class: String,
    several: bool,
}

impl Library {
    fn compile(
        checked: &Checked,
        units: ComputeUnits,
        initialiser: Initialiser,
    ) -> Result<Library, BridgeError> {
        autoreleasepool(|_| {
            let program = checked.program();
            let functions = &program.functions;
            let first = program.default_function().or_else(|| functions.ids().next());
            let several = functions.len() > 1;
            let first = first.filter(|_| several).map(|id| functions[id].name.clone());
            let host = Bundle::compile(&host::program(checked)?)?;
            let model = host.load(units, first.as_deref())?;
            let configuration = configuration(units, first.as_deref())?;
            let found = container::find(&model, &configuration, &host.path().to_string_lossy());
            let text = stage::files(program)?.write(&host.folder().join("text"))?;
            let object = engine::compile(&text, found.container.as_deref(), &configuration)?;
            Ok(Library {
                host_class: container::class_of(&model),
                host,
                units,
                initialiser,
                // Engines are made from it one at a time, under the lock of `Functions`.
                object: Shared(object),
                way: found.way,
                internal_engine: found.engine_class,
                several,
            })
        })
    }

    /// The description and configuration of a function of the host model.
    pub(crate) fn described(&self, function: &str) -> Result<(Obj, Obj), BridgeError> {
        let chosen = Some(function).filter(|_| self.several);
        let model = self.host.load(self.units, chosen)?;
        let call = "-[MLModel modelDescription]";
        let description = tell!(call, "@@:", [&model, modelDescription] -> Option<Obj>)?;
        Ok((description.ok_or(BridgeError::Null { call })?, configuration(self.units, chosen)?))
    }

    /// An engine for a function.
    pub(crate) fn engine(&self, function: &str) -> Result<Shared, BridgeError> {
        autoreleasepool(|_| {
            let (description, configuration) = self.described(function)?;
            let engine =
                engine::make(self.initialiser, &self.object, &description, &configuration, function)?;
            // Its predictions are kept apart by a lock in `Predictor`.
            Ok(Shared(engine))
        })
    }
}

struct LoadedMle5 {
    checked: Arc<Checked>,
    library: Library,
    options: Mle5Options,
    functions: Functions,
}

impl LoadedMle5 {
    fn ready(&self, function: Option<&str>) -> Result<Arc<Ready>, RunError> {
        self.functions.get(&self.checked, function, |id| ready(&self.checked, &self.library, id))
    }
}

pub(crate) fn ready(checked: &Checked, library: &Library, id: FunctionId) -> Result<Ready, BridgeError> {
    let ports = ports::of(checked, id)?;
    let engine = library.engine(&ports.function)?;
    Ok(Ready { predictor: Predictor::new(engine, &CALLS), ports, function: id })
}

fn new_state(engine: &AnyObject) -> Result<Shared, BridgeError> {
    let call = "-[MLE5Engine newStateWithClientBuffers:]";
    let none: Option<&AnyObject> = None;
    let state = tell!(call, "@@:@", [engine, newStateWithClientBuffers: none] -> Option<Obj>)?;
    // A session has one state, and uses it from one thread at a time.
    state.map(Shared).ok_or(BridgeError::Null { call })
}

impl Loaded for LoadedMle5 {
    fn runtime(&self) -> &'static str {
        runtime_name!("mle5")
    }

    fn placement(&self) -> Placement {
        Placement { ground: GROUND.unwrap_or(Ground::Double), claim: Claim::Unproven(UNPROVEN) }
    }

    fn checked(&self) -> &Arc<Checked> {
        &self.checked
    }

    fn session(&self, function: Option<&str>) -> Result<Box<dyn Session>, RunError> {
        let ready = self.ready(function)?;
        let checked = self.checked.clone();
        Ok(Box::new(FeatureSession::open(checked, ready, new_state, self.options.backings)?))
    }
}
