//! A prediction: tensors in, tensors out, into arrays of ours where the framework takes them.

use super::ports::Ports;
use super::{array, features};
use crate::error::BridgeError;
use crate::objc::{AnyObject, Obj, Raised, Shared, autoreleasepool, outcome, probe};
use crate::tell;
use mil_run::Named;
use std::sync::{Mutex, PoisonError};

/// The methods that a thing which predicts is asked with; the names in errors.
#[derive(Debug)]
pub struct Calls {
    /// Without state.
    pub plain: &'static str,
    /// With one.
    pub stateful: &'static str,
}

/// A model or engine, and the lock that keeps its predictions apart: documents about threads differ between versions.
#[derive(Debug)]
pub struct Predictor {
    target: Shared,
    calls: &'static Calls,
    turn: Mutex<()>,
}

/// Whether outputs are written into arrays of ours.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Backings {
    /// Ours, poisoned before the run: an output that nothing was written to is noticed.
    #[default]
    Ours,
    /// The framework's own. What it did not write looks like zeros, which nobody can tell from a result.
    Theirs,
}

impl Predictor {
    /// Of an object that has the methods in `calls`.
    pub fn new(target: Shared, calls: &'static Calls) -> Predictor {
        Predictor { target, calls, turn: Mutex::new(()) }
    }

    /// The model or engine.
    pub fn target(&self) -> &Shared {
        &self.target
    }

    /// Predicts once. `state` is an `MLState` that nobody else uses now.
    ///
    /// Errors: the framework's; `apple/nothing-written` for an output of ours that still holds the pattern.
    pub fn predict(
        &self,
        ports: &Ports,
        inputs: &[Named],
        state: Option<&Shared>,
        backings: Backings,
    ) -> Result<Vec<Named>, BridgeError> {
        autoreleasepool(|_| {
            let arrays = inputs.iter().map(|(name, tensor)| Ok((name, array::of(tensor)?)));
            let arrays: Vec<_> = arrays.collect::<Result<_, BridgeError>>()?;
            let given = features::provider(arrays.iter().map(|(name, array)| (name.as_str(), &**array)))?;
            let ours = if backings == Backings::Ours { poisoned(ports)? } else { Vec::new() };
            let options = features::options(&ours)?;
            let results = self.ask(&given, state, &options)?;
            ports
                .outputs
                .iter()
                .map(|port| {
                    let missing = || BridgeError::Null { call: self.calls.plain };
                    let array = features::array(&results, &port.name)?.ok_or_else(missing)?;
                    let own = ours
                        .iter()
                        .any(|(name, a)| name == port.name.as_str() && std::ptr::eq(&**a, &*array));
                    if own && array::is_untouched(&array)? {
                        return Err(self.untouched(&port.name, state.is_some()));
                    }
                    Ok((port.name.clone(), array::read(&array, port.dtype, port.rank)?))
                })
                .collect()
        })
    }

    fn untouched(&self, output: &str, stateful: bool) -> BridgeError {
        let call = if stateful { self.calls.stateful } else { self.calls.plain };
        BridgeError::Untouched { output: output.to_owned(), call }
    }

    fn ask(&self, given: &Obj, state: Option<&Shared>, options: &Obj) -> Result<Obj, BridgeError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut error = Raised::none();
        // Where an engine has only the method with a state, it takes nil for none.
        let plain = probe::require_of(&self.target, self.calls.plain, "@@:@@^@").is_ok();
        let (call, results) = match state {
            None if plain => {
                let call = self.calls.plain;
                let results = tell!(call, "@@:@@^@",
                    [&self.target, predictionFromFeatures: &**given, options: &**options, error: &mut error.0]
                        -> Option<Obj>)?;
                (call, results)
            }
            state => {
                let call = self.calls.stateful;
                let state: Option<&AnyObject> = state.map(|s| &**s);
                let results = tell!(call, "@@:@@@^@",
                    [&self.target, predictionFromFeatures: &**given, usingState: state, options: &**options,
                        error: &mut error.0] -> Option<Obj>)?;
                (call, results)
            }
        };
        outcome::object(call, results, error.take())
    }
}

/// Arrays for the outputs whose sizes are known, full of the pattern; none where the system has no such option
/// (before macOS 13).
pub(crate) fn poisoned(ports: &Ports) -> Result<Vec<(String, Obj)>, BridgeError> {
    if !probe::exists("-[MLPredictionOptions setOutputBackings:]") {
        return Ok(Vec::new());
    }
    let mut arrays = Vec::new();
    for port in &ports.outputs {
        // A scalar's array has one axis more than the scalar, and what the framework expects is not known.
        let Some(shape) = port.shape.as_ref().filter(|s| !s.is_empty()) else { continue };
        let array = array::new(port.dtype, shape)?;
        array::fill_with_poison(&array)?;
        arrays.push((port.name.to_string(), array));
    }
    Ok(arrays)
}
