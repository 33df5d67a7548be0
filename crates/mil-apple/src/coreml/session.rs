//! Functions that are ready to predict, and their users: the same for a model and an engine, since both predict from features.

use super::ports::Ports;
use super::predict::{Backings, Predictor};
use super::state;
use crate::error::BridgeError;
use crate::objc::{AnyObject, Shared, autoreleasepool};
use mil_base::Tensor;
use mil_check::Checked;
use mil_ir::FunctionId;
use mil_run::{Named, RunError, Session, find_function};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What sessions of a function share.
#[derive(Debug)]
pub struct Ready {
    /// Whom to ask.
    pub predictor: Predictor,
    /// The function's arrays.
    pub ports: Ports,
    /// The function.
    pub function: FunctionId,
}

/// A program's functions, each made ready when it is first asked for.
#[derive(Debug, Default)]
pub(crate) struct Functions {
    ready: Mutex<HashMap<FunctionId, Arc<Ready>>>,
}

impl Functions {
    /// The function of that name, or the default one; `make` makes it ready, for one caller at a time.
    ///
    /// Errors: the program has no such function; what `make` says.
    pub(crate) fn get(
        &self,
        checked: &Checked,
        name: Option<&str>,
        make: impl FnOnce(FunctionId) -> Result<Ready, BridgeError>,
    ) -> Result<Arc<Ready>, RunError> {
        let id = find_function(checked, name)?;
        let mut all = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ready) = all.get(&id) {
            return Ok(ready.clone());
        }
        let ready = Arc::new(make(id)?);
        all.insert(id, ready.clone());
        Ok(ready)
    }
}

pub(crate) struct FeatureSession {
    checked: Arc<Checked>,
    ready: Arc<Ready>,
    state: Option<Shared>,
    backings: Backings,
    /// Has the framework once taken the arrays we offered?
    taken: bool,
}

impl FeatureSession {
    /// A new user. `new_state` asks the model or engine for a fresh `MLState`, if the function has states.
    pub(crate) fn open(
        checked: Arc<Checked>,
        ready: Arc<Ready>,
        new_state: impl FnOnce(&AnyObject) -> Result<Shared, BridgeError>,
        backings: Backings,
    ) -> Result<FeatureSession, BridgeError> {
        let state = match ready.ports.states.is_empty() {
            true => None,
            false => Some(autoreleasepool(|_| new_state(ready.predictor.target()))?),
        };
        Ok(FeatureSession { checked, ready, state, backings, taken: false })
    }

    fn predict(&mut self, inputs: &[Named]) -> Result<Vec<Named>, BridgeError> {
        let Ready { predictor, ports, .. } = &*self.ready;
        match predictor.predict(ports, inputs, self.state.as_ref(), self.backings) {
            // Which arrays a version takes for outputs is documented loosely. A first run that fails with ours is repeated
            // without, unless a state may have changed; then nothing can tell a written zero from an unwritten one.
            Err(BridgeError::Cocoa { .. } | BridgeError::Exception { .. })
                if self.backings == Backings::Ours && !self.taken && self.state.is_none() =>
            {
                let results = predictor.predict(ports, inputs, None, Backings::Theirs)?;
                self.backings = Backings::Theirs;
                Ok(results)
            }
            other => {
                self.taken |= other.is_ok();
                other
            }
        }
    }
}

impl Session for FeatureSession {
    fn run(&mut self, inputs: &[Named]) -> Result<Vec<Named>, RunError> {
        let matched = mil_run::match_inputs(&self.checked, self.ready.function, inputs)?;
        let f = &self.checked.program().functions[self.ready.function];
        let inputs: Vec<Named> = matched.into_iter().map(|(v, t)| (f.values[v].name.clone(), t)).collect();
        Ok(self.predict(&inputs)?)
    }

    /// States that cannot be read are left out.
    fn states(&self) -> Vec<Named> {
        let Some(state) = &self.state else { return Vec::new() };
        let read = |port: &super::ports::Port| {
            autoreleasepool(|_| state::read(state, port)).ok().map(|t| (port.name.clone(), t))
        };
        self.ready.ports.states.iter().filter_map(read).collect()
    }

    fn set_state(&mut self, name: &str, value: &Tensor) -> Result<(), RunError> {
        let ports = &self.ready.ports;
        let fits = |p: &&super::ports::Port| {
            p.name.as_str() == name && p.dtype == value.dtype() && p.shape.as_deref() == Some(value.shape())
        };
        let (Some(port), Some(state)) = (ports.states.iter().find(fits), &self.state) else {
            return Err(BridgeError::refused(
                mil_run::codes::STATE_TYPE,
                format!("function `{}` has no state `{name}` of type {}", ports.function, value.ty()),
                "`states` lists them with their types",
            )
            .into());
        };
        Ok(autoreleasepool(|_| state::write(state, port, value))?)
    }
}
