//! The state that a program keeps for one user.

use crate::array::{self, Use};
use crate::shared::{Shared, lock};
use milwright::{DType, Session};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::sync::{Arc, Mutex};

/// What a program remembers from one prediction to the next: a mapping of names to arrays, made by `Model.make_state`.
///
/// Reading gives a copy; assigning an array of the same shape replaces the contents. Predictions of several threads with
/// one state wait for each other.
#[pyclass(frozen, mapping, module = "milwright")]
pub(crate) struct State {
    pub(crate) shared: Arc<Shared>,
    /// The states, with their element types.
    names: Vec<(String, DType)>,
    pub(crate) session: Mutex<Session>,
}

#[pymethods]
impl State {
    /// A copy of what the state of this name holds.
    fn __getitem__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let states = py.detach(|| lock(&self.session).states());
        let found = states.into_iter().find(|(n, _)| n == name);
        let (_, tensor) = found.ok_or_else(|| self.unknown(name))?;
        array::to_python(py, tensor)
    }

    /// Replaces what the state of this name holds.
    fn __setitem__(&self, py: Python<'_>, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let Some(&(_, dtype)) = self.names.iter().find(|(n, _)| n == name) else {
            return Err(self.unknown(name));
        };
        let usage = Use { place: &self.shared.place(name), declared: Some(dtype), brief: false };
        let tensor = array::to_tensor(value, &usage)?;
        let written = py.detach(|| lock(&self.session).write_state(name, &tensor));
        written.map_err(|e| self.shared.error(py, &e))
    }

    fn __len__(&self) -> usize {
        self.names.len()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(PyTuple::new(py, self.keys())?.try_iter()?.into_any())
    }

    fn __contains__(&self, name: &Bound<'_, PyAny>) -> bool {
        name.extract::<String>().is_ok_and(|name| self.keys().contains(&name))
    }

    /// The names of the states.
    fn keys(&self) -> Vec<String> {
        self.names.iter().map(|(name, _)| name.clone()).collect()
    }

    fn __repr__(&self) -> String {
        format!("<milwright.State {:?}>", self.keys())
    }
}

impl State {
    pub(crate) fn new(shared: Arc<Shared>, session: Session) -> State {
        let names = session.states().into_iter().map(|(name, tensor)| (name, tensor.dtype())).collect();
        State { shared, names, session: Mutex::new(session) }
    }

    /// The error for a name that is no state's.
    fn unknown(&self, name: &str) -> PyErr {
        let listed = match self.names.is_empty() {
            true => "the function has no states".to_owned(),
            false => format!("its states are {}", self.keys().join(", ")),
        };
        PyKeyError::new_err(format!("{} is no state; {listed}", self.shared.place(name)))
    }
}
