//! A program ready to run.

use crate::array::{self, Use};
use crate::records;
use crate::shared::{Shared, lock};
use crate::state::State;
use milwright::{Diagnostic, FeatureKind, HeldWeights, LoadOptions, Port, RunError, RuntimeKind, Tensor};
use pyo3::exceptions::{PyKeyError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyTuple};
use std::path::PathBuf;
use std::sync::Arc;

/// Opens, checks and loads the program at `path`: an .mlpackage, .mlmodel, .mlmodelc or MIL text.
///
/// `runtime`: ``cpu`` (fast; computes in fp32 and rounds as the program declares) or ``reference`` (float64).
/// `function`: which to run; without it the default one. `threads`: without it one a core.
/// `weights`: ``compressed`` holds compressed weights as they are stored and expands each in every run, which takes the least
/// memory; ``expanded`` expands them once. Results are the same.
/// Files stay mapped while the model is in use: replace them by renaming, do not overwrite them.
///
/// Raises `Error` with everything that is wrong with the program.
#[pyfunction]
#[pyo3(signature = (path, runtime = "cpu", function = None, threads = None, weights = "compressed"))]
pub(crate) fn load(
    py: Python<'_>,
    path: PathBuf,
    runtime: &str,
    function: Option<String>,
    threads: Option<i64>,
    weights: &str,
) -> PyResult<Model> {
    bind(py, open(py, path)?, options(runtime, function, threads, weights)?)
}

fn open(py: Python<'_>, path: PathBuf) -> PyResult<milwright::Opened> {
    py.detach(|| milwright::open(path)).map_err(|failure| records::failure(py, &failure))
}

/// The facade's options for the arguments given.
fn options(
    runtime: &str,
    function: Option<String>,
    threads: Option<i64>,
    weights: &str,
) -> PyResult<LoadOptions> {
    let threads = match threads.map(usize::try_from) {
        None => None,
        Some(Ok(n)) if n > 0 => Some(n),
        Some(_) => {
            return Err(PyValueError::new_err("threads must be 1 or more; without it there is one a core"));
        }
    };
    let runtime = match runtime {
        "cpu" => RuntimeKind::Cpu,
        "reference" => RuntimeKind::Reference,
        other => {
            let message = format!("runtime must be 'cpu' or 'reference', not '{other}'");
            return Err(PyValueError::new_err(message));
        }
    };
    let held = HeldWeights::ALL.into_iter().find(|held| held.name() == weights);
    let weights = held.ok_or_else(|| {
        PyValueError::new_err(format!("weights must be 'compressed' or 'expanded', not '{weights}'"))
    })?;
    Ok(LoadOptions { function, runtime, threads, weights, ..LoadOptions::default() })
}

/// Checks the program and binds it to a runtime.
fn bind(py: Python<'_>, opened: milwright::Opened, options: LoadOptions) -> PyResult<Model> {
    let loaded = py.detach(|| milwright::Model::new(opened, &options));
    let model = loaded.map_err(|failure| records::failure(py, &failure))?;
    Ok(Model { shared: Arc::new(Shared::new(model, options)) })
}

/// A program that was read, with its files mapped; what it was read from may be removed.
#[pyclass(frozen, module = "milwright._native")]
pub(crate) struct Opened {
    pub(crate) opened: milwright::Opened,
}

#[pymethods]
impl Opened {
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Opened> {
        Ok(Opened { opened: open(py, path)? })
    }

    /// Checks and loads it, as `milwright.load` does.
    #[pyo3(signature = (runtime = "cpu", function = None, threads = None, weights = "compressed"))]
    fn load(
        &self,
        py: Python<'_>,
        runtime: &str,
        function: Option<String>,
        threads: Option<i64>,
        weights: &str,
    ) -> PyResult<Model> {
        bind(py, self.opened.clone(), options(runtime, function, threads, weights)?)
    }
}

/// A program ready to run, made by `load`. Threads may share it; predictions run without the interpreter's lock.
#[pyclass(frozen, module = "milwright")]
pub(crate) struct Model {
    shared: Arc<Shared>,
}

#[pymethods]
impl Model {
    /// The file or folder it was read from.
    #[getter]
    fn path(&self) -> PathBuf {
        self.shared.model.opened().path.clone()
    }

    /// The name of the function that runs.
    #[getter]
    fn function(&self) -> String {
        self.shared.function().to_owned()
    }

    /// The name of the runtime, which says how it computes.
    #[getter]
    fn runtime(&self) -> &'static str {
        self.shared.model.runtime()
    }

    /// The inputs, in the function's order.
    #[getter]
    fn inputs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.info(py)?.getattr("inputs")
    }

    /// The outputs, in the function's order.
    #[getter]
    fn outputs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.info(py)?.getattr("outputs")
    }

    /// The states.
    #[getter]
    fn states<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.info(py)?.getattr("states")
    }

    /// A state of its own, with everything in it zero.
    fn make_state(&self, py: Python<'_>) -> PyResult<State> {
        let session = py.detach(|| self.shared.model.session());
        let session = session.map_err(|e| self.shared.error(py, &e))?;
        Ok(State::new(self.shared.clone(), session))
    }

    /// Runs the function once.
    ///
    /// `inputs` are arrays, numbers or lists by name, or PIL images for inputs that are images. Floats are converted to the
    /// declared float type, integers to the declared integer or float type; an optional input may be left out. An array of
    /// floats that is C-contiguous is read where it is, without the interpreter's lock: do not write to it before the prediction is
    /// over. Other inputs, and all of a function with states, are copied first. Outputs are arrays of the declared types that
    /// nothing else refers to; a text is a `str`, a classifier's probabilities are a `dict`.
    ///
    /// Without `state` a stateful function starts from zeros.
    ///
    /// Raises `Error` if the inputs do not fit, and `TypeError` for elements that MIL has not.
    #[pyo3(signature = (inputs, state = None))]
    fn predict<'py>(
        &self,
        py: Python<'py>,
        inputs: &Bound<'py, PyAny>,
        state: Option<&Bound<'py, State>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let state = state.map(Bound::get);
        if state.is_some_and(|state| !Arc::ptr_eq(&state.shared, &self.shared)) {
            let path = self.shared.model.opened().path.display();
            let message = format!(
                "the state was made by another model; make one with make_state() of this one, {path}"
            );
            return Err(PyValueError::new_err(message));
        }
        let mut given = Vec::new();
        let mapping = inputs.cast::<PyMapping>().map_err(|_| self.no_mapping(inputs))?;
        for item in mapping.items()?.iter() {
            let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item.extract()?;
            let name: String = name.extract().map_err(|_| self.no_mapping(&name))?;
            let tensor = self.input(&name, &value)?;
            given.push((name, tensor));
        }
        let outputs = py.detach(|| match state {
            Some(state) => lock(&state.session).run(&given),
            None => self.shared.run_stateless(&given),
        });
        results(py, outputs.map_err(|e| self.shared.error(py, &e))?)
    }

    /// Another process loads the model from its file, which must be there.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let load = py.import("milwright")?.getattr("load")?;
        let LoadOptions { threads, weights, .. } = self.shared.options;
        let arguments = (self.path(), self.runtime(), self.function(), threads, weights.name());
        Ok((load, arguments.into_pyobject(py)?))
    }

    /// A model does not change: a copy is the model itself.
    fn __copy__(this: Py<Self>) -> Py<Self> {
        this
    }

    /// A model does not change: a copy is the model itself.
    fn __deepcopy__(this: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        this
    }

    fn __repr__(&self) -> String {
        let path = self.shared.model.opened().path.display().to_string();
        format!("<milwright.Model {path:?}, function {:?}, runtime {:?}>", self.function(), self.runtime())
    }
}

impl Model {
    /// The function's record.
    fn info<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let model = &self.shared.model;
        let functions = py.detach(|| milwright::inspect(model.opened(), model.checked()));
        let name = self.function();
        let info = functions.iter().find(|f| *f.name == *name);
        let info = info.ok_or_else(|| PyKeyError::new_err(name))?;
        records::function(py, model.opened(), info)
    }

    /// The error for what are no inputs by name.
    fn no_mapping(&self, given: &Bound<'_, PyAny>) -> PyErr {
        let path = self.path();
        let kind = given.get_type().name().map(|name| name.to_string()).unwrap_or_default();
        let example = self.shared.model.inputs().first().map_or("x", |port| port.name.as_str());
        PyTypeError::new_err(format!(
            "{} ({}): predict takes a dict of inputs by name, such as {{\"{example}\": array}}; this is of type {kind}",
            path.display(),
            self.shared.function(),
        ))
    }

    /// A tensor of what was given for an input; an image is taken as its description says.
    fn input(&self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<Tensor> {
        let model = &self.shared.model;
        let port = model.inputs().iter().find(|p| *p.name == *name);
        // A state may be set to an input, and then shares its memory.
        let declared = port.map(|p| p.ty.dtype);
        let usage = Use { place: &self.shared.place(name), declared, brief: self.shared.stateless() };
        if value.hasattr("getbands")?
            && let Some(interface) = model.opened().interface(self.shared.function())
            && let Some(feature) = interface.inputs.iter().find(|f| f.name == name)
            && let FeatureKind::Image(image) = &feature.kind
        {
            self.check_size(name, value, port)?;
            let images = value.py().import("milwright.images")?;
            let array = images.call_method1("to_array", (value, records::colors(image.colors)))?;
            return array::to_tensor(&array, &usage);
        }
        array::to_tensor(value, &usage)
    }

    /// Is the image as large as the input, as far as that is declared?
    fn check_size(&self, name: &str, image: &Bound<'_, PyAny>, port: Option<&Port>) -> PyResult<()> {
        let (width, height): (usize, usize) = image.getattr("size")?.extract()?;
        let sizes: Vec<Option<usize>> =
            port.map(|p| p.ty.shape.iter().map(|d| d.known()).collect()).unwrap_or_default();
        let &[.., Some(rows), Some(columns)] = sizes.as_slice() else { return Ok(()) };
        if (columns, rows) == (width, height) {
            return Ok(());
        }
        let message = format!(
            "the image for `{name}` is {width} wide and {height} high, but must be {columns} wide and {rows} high"
        );
        let help = format!("resize it: image.resize(({columns}, {rows}))");
        let wrong = Diagnostic::error("run/input-shape", message).help(help);
        Err(self.shared.error(image.py(), &RunError::Refused(vec![wrong])))
    }
}

/// Outputs by name. The two tensors of a dictionary become one.
fn results(py: Python<'_>, outputs: Vec<(String, Tensor)>) -> PyResult<Bound<'_, PyDict>> {
    let results = PyDict::new(py);
    let mut keys = None;
    for (name, tensor) in outputs {
        if name.ends_with("::keys") {
            keys = Some(tensor);
            continue;
        }
        match (name.strip_suffix("::values"), keys.take()) {
            (Some(name), Some(keys)) => {
                let keys = array::to_python(py, keys)?.call_method0("tolist")?;
                let pairs = py.import("builtins")?.call_method1("zip", (keys, tensor.to_f64()))?;
                results.set_item(name, py.get_type::<PyDict>().call1((pairs,))?)?;
            }
            _ => results.set_item(&name, array::to_python(py, tensor)?)?,
        }
    }
    Ok(results)
}
