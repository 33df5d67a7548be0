//! What is done with files without running them: check, inspect, convert.

use crate::records;
use milwright::SaveOptions;
use pyo3::exceptions::PyFileExistsError;
use pyo3::prelude::*;
use std::path::PathBuf;

/// Everything wrong with the program at `path`, and advice on one without errors. Empty: nothing to say.
#[pyfunction]
pub(crate) fn check(py: Python<'_>, path: PathBuf) -> PyResult<Vec<Py<PyAny>>> {
    let report = py.detach(|| milwright::check(path));
    records::diagnostics(py, &report.path, report.records())
}

/// What is in the program at `path`: functions, inputs, outputs, states, ops, weights, FLOPs. Weight files may be missing.
///
/// Raises `Error` if the program is wrong.
#[pyfunction]
pub(crate) fn inspect(py: Python<'_>, path: PathBuf) -> PyResult<Py<PyAny>> {
    let options = milwright::OpenOptions { tolerate_missing_weights: true };
    let checked = py.detach(|| {
        let opened = milwright::open_with(path, &options)?;
        let (report, checked) = milwright::Report::check(opened.clone());
        match checked {
            Some(checked) => Ok((opened, checked)),
            None => Err(report.into_failure()),
        }
    });
    let (opened, checked) = checked.map_err(|failure| records::failure(py, &failure))?;
    let functions = py.detach(|| milwright::inspect(&opened, &checked));
    records::program(py, &opened, &functions)
}

/// Writes the program at `source` in the form that the end of `target` says: .mlpackage, .mlmodel, .mlmodelc or
/// .mil. Gives what could not be kept.
///
/// Raises `FileExistsError` if `target` exists and `force` is false, and `Error` if the program is wrong or cannot be written.
#[pyfunction]
#[pyo3(signature = (source, target, *, force = false))]
pub(crate) fn convert(
    py: Python<'_>,
    source: PathBuf,
    target: PathBuf,
    force: bool,
) -> PyResult<Vec<Py<PyAny>>> {
    if target.exists() && !force {
        let message = format!("'{}' exists; replace it with force=True", target.display());
        return Err(PyFileExistsError::new_err(message));
    }
    let written = py.detach(|| {
        let opened = milwright::open(source)?;
        milwright::save(&target, &opened.program, &SaveOptions::of(&opened))
    });
    let warnings = written.map_err(|failure| records::failure(py, &failure))?;
    let report = milwright::Report { path: target, source: None, program: None, diagnostics: warnings };
    records::diagnostics(py, &report.path, report.records())
}
