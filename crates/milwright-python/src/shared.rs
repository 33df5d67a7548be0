//! A loaded program with its sessions: what a model and its states have in common.

use crate::records;
use milwright::{LoadOptions, RunError, Session, Tensor, Type};
use pyo3::prelude::*;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a model and its states share.
pub(crate) struct Shared {
    pub(crate) model: milwright::Model,
    /// How it was loaded.
    pub(crate) options: LoadOptions,
    /// Sessions for predictions without a state, with nothing in theirs; as many as ever ran at once.
    idle: Mutex<Vec<Session>>,
}

impl Shared {
    pub(crate) fn new(model: milwright::Model, options: LoadOptions) -> Shared {
        Shared { model, options, idle: Mutex::default() }
    }

    /// The name of the function that runs.
    pub(crate) fn function(&self) -> &str {
        &self.model.checked().program().functions[self.model.function()].name
    }

    /// Has the function no states?
    pub(crate) fn stateless(&self) -> bool {
        let function = &self.model.checked().program().functions[self.model.function()];
        !function.params().iter().any(|&v| matches!(function.values[v].ty, Type::State(_)))
    }

    /// Where an input or state is, for messages.
    pub(crate) fn place<'a>(&'a self, name: &'a str) -> Place<'a> {
        Place { shared: self, name }
    }

    pub(crate) fn error(&self, py: Python<'_>, error: &RunError) -> PyErr {
        records::report(py, &self.model.report(error))
    }

    pub(crate) fn run_stateless(
        &self,
        inputs: &[(String, Tensor)],
    ) -> Result<Vec<(String, Tensor)>, RunError> {
        let idle = lock(&self.idle).pop();
        let mut session = match idle {
            Some(session) => session,
            None => self.model.session()?,
        };
        let outputs = session.run(inputs);
        if session.reset().is_ok() {
            lock(&self.idle).push(session);
        }
        outputs
    }
}

/// An input or state: the file, the function and its name.
pub(crate) struct Place<'a> {
    shared: &'a Shared,
    name: &'a str,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.shared.model.opened().path.display();
        write!(f, "{path} ({}): `{}`", self.shared.function(), self.name)
    }
}

/// The contents, whatever became of a thread that held them: a session that panicked is still a session.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
