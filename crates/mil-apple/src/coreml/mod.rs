//! The public framework: the program is written as a package, compiled and loaded by Core ML, which decides itself where it
//! runs. [`plan`] asks it beforehand what it means to do.
//!
//! Errors come with the framework's own words. Older systems: without `MLComputePlan` (before macOS 14.4) the placement is
//! unproven; without output backings (before 13) an output that nothing was written to cannot be told from zeros; without
//! `MLState` or `functionName` (before 15) programs that need them do not load. Images are passed as arrays.
//!
//! **Where to start reading:** `model.rs` (package to `MLModel`), `array.rs` (tensors), `predict.rs`, `plan.rs`, `state.rs`.

pub mod array;
pub mod features;
pub mod model;
pub mod plan;
pub mod ports;
pub mod predict;
pub mod session;
pub mod state;

pub use model::{Bundle, ComputeUnits};
pub use predict::Backings;

use crate::error::BridgeError;
use crate::ground::GROUND;
use crate::objc::{autoreleasepool, probe};
use crate::runtime_name;
use mil_check::Checked;
use mil_run::{Claim, Ground, Loaded, Options, Placement, RunError, Runtime, Session};
use predict::{Calls, Predictor};
use session::{FeatureSession, Functions, Ready};
use std::sync::{Arc, OnceLock};

static CALLS: Calls = Calls {
    plain: "-[MLModel predictionFromFeatures:options:error:]",
    stateful: "-[MLModel predictionFromFeatures:usingState:options:error:]",
};

/// How Core ML is to run programs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct CoreMlOptions {
    /// The devices it may plan for.
    pub units: ComputeUnits,
    /// Whose arrays outputs are written into.
    pub backings: Backings,
}

/// The runtime `coreml`, which may use every device.
///
/// Errors: `apple/missing-class`.
pub fn runtime() -> Result<Box<dyn Runtime>, BridgeError> {
    runtime_with(CoreMlOptions::default())
}

/// The runtime `coreml` with options.
pub fn runtime_with(options: CoreMlOptions) -> Result<Box<dyn Runtime>, BridgeError> {
    probe::class("MLModel")?;
    Ok(Box::new(CoreMl { options }))
}

struct CoreMl {
    options: CoreMlOptions,
}

impl Runtime for CoreMl {
    fn name(&self) -> &'static str {
        runtime_name!("coreml")
    }

    /// Compiles the program, and loads its default function if it has one. Threads and memory are the framework's business.
    fn load(&self, checked: Arc<Checked>, _: &Options) -> Result<Arc<dyn Loaded>, RunError> {
        let bundle = autoreleasepool(|_| Bundle::compile(checked.program()))?;
        let loaded = LoadedCoreMl {
            checked,
            bundle,
            options: self.options,
            functions: Functions::default(),
            placement: OnceLock::new(),
        };
        if loaded.checked.program().default_function().is_some() {
            loaded.ready(None)?;
        }
        Ok(Arc::new(loaded))
    }
}

struct LoadedCoreMl {
    checked: Arc<Checked>,
    bundle: Bundle,
    options: CoreMlOptions,
    functions: Functions,
    placement: OnceLock<Placement>,
}

impl LoadedCoreMl {
    fn ready(&self, function: Option<&str>) -> Result<Arc<Ready>, RunError> {
        self.functions.get(&self.checked, function, |id| {
            let ports = ports::of(&self.checked, id)?;
            let functions = &self.checked.program().functions;
            let chosen = (functions.len() > 1).then_some(functions[id].name.as_str());
            let model = autoreleasepool(|_| self.bundle.load(self.options.units, chosen))?;
            Ok(Ready { predictor: Predictor::new(model, &CALLS), ports, function: id })
        })
    }
}

impl Loaded for LoadedCoreMl {
    fn runtime(&self) -> &'static str {
        runtime_name!("coreml")
    }

    /// The plan of the default function, or of the first; loaded when it is first asked for.
    fn placement(&self) -> Placement {
        let ask = || {
            let program = self.checked.program();
            let id = program.default_function().or_else(|| program.functions.ids().next());
            let plan = id.map(|id| plan::load(&self.bundle, self.options.units, &program.functions[id].name));
            let claim = match plan {
                Some(Ok(ops)) => Claim::Planned(ops),
                Some(Err(BridgeError::MissingClass { .. })) => {
                    Claim::Unproven("Core ML chooses, and has no compute plan before macOS 14.4")
                }
                Some(Err(_)) => Claim::Unproven("Core ML chooses, and its compute plan did not load"),
                None => Claim::Unproven("the program has no function"),
            };
            Placement { ground: GROUND.unwrap_or(Ground::Double), claim }
        };
        self.placement.get_or_init(ask).clone()
    }

    fn checked(&self) -> &Arc<Checked> {
        &self.checked
    }

    fn session(&self, function: Option<&str>) -> Result<Box<dyn Session>, RunError> {
        let ready = self.ready(function)?;
        let checked = self.checked.clone();
        Ok(Box::new(FeatureSession::open(checked, ready, state::of_model, self.options.backings)?))
    }
}
