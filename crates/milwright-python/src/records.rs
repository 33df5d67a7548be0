//! Facts as the records of `_records.py`, and mistakes as the exception there.

use milwright::{
    Colors, DType, Feature, FeatureKind, FunctionInfo, Interface, JsonDiagnostic, JsonLabel, Opened, Port,
    Type,
};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::path::Path;

pyo3::import_exception!(milwright._records, Error);

/// Makes the record `name` of its fields.
fn record<'py>(py: Python<'py>, name: &str, fields: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
    py.import("milwright._records")?.getattr(name)?.call((), Some(fields))
}

/// A dictionary of the fields listed.
macro_rules! fields {
    ($py:expr, $($name:ident: $value:expr),* $(,)?) => {{
        let fields = PyDict::new($py);
        $(fields.set_item(stringify!($name).trim_start_matches("r#"), $value)?;)*
        fields
    }};
}

/// Diagnostics as a list of records.
pub(crate) fn diagnostics(
    py: Python<'_>,
    path: &Path,
    list: Vec<JsonDiagnostic>,
) -> PyResult<Vec<Py<PyAny>>> {
    list.into_iter().map(|d| diagnostic(py, path, d)).collect()
}

/// One without a place is about the whole file.
fn diagnostic(py: Python<'_>, path: &Path, d: JsonDiagnostic) -> PyResult<Py<PyAny>> {
    let mut places = d.labels.into_iter().map(|label| place(py, label)).collect::<PyResult<Vec<_>>>()?;
    if places.is_empty() {
        let fields = fields!(py, file: path.display().to_string());
        places.push(record(py, "Place", &fields)?);
    }
    let places = PyTuple::new(py, places)?;
    let fields =
        fields!(py, code: d.code, severity: d.severity, message: d.message, help: d.help, places: places);
    Ok(record(py, "Diagnostic", &fields)?.unbind())
}

fn place(py: Python<'_>, l: JsonLabel) -> PyResult<Bound<'_, PyAny>> {
    let fields = fields!(
        py,
        file: l.file,
        message: l.message,
        line: l.line,
        column: l.column,
        function: l.function,
        op: l.op_name,
        argument: l.argument,
    );
    record(py, "Place", &fields)
}

/// The exception for a program that could not be read, loaded or written.
pub(crate) fn failure(py: Python<'_>, failure: &milwright::Failure) -> PyErr {
    error(py, &failure.path, failure.text(false), failure.records(), failure.is_unsupported())
}

/// The exception for what is reported about a run.
pub(crate) fn report(py: Python<'_>, report: &milwright::Report) -> PyErr {
    error(py, &report.path, report.text(false), report.records(), false)
}

fn error(py: Python<'_>, path: &Path, text: String, list: Vec<JsonDiagnostic>, unsupported: bool) -> PyErr {
    match diagnostics(py, path, list) {
        Ok(list) => Error::new_err((text.trim_end().to_owned(), list, unsupported)),
        Err(error) => error,
    }
}

/// What is in a program.
pub(crate) fn program(py: Python<'_>, opened: &Opened, functions: &[FunctionInfo]) -> PyResult<Py<PyAny>> {
    let named = PyDict::new(py);
    for info in functions {
        named.set_item(info.name.as_str(), function(py, opened, info)?)?;
    }
    let default = opened.default_function().map(|id| opened.program.functions[id].name.to_string());
    let fields = fields!(
        py,
        path: py.import("pathlib")?.call_method1("Path", (&opened.path,))?,
        specification_version: opened.description.as_ref().map(|d| d.specification_version),
        default_function: default,
        functions: named,
    );
    Ok(record(py, "Program", &fields)?.unbind())
}

/// What is in a function.
pub(crate) fn function<'py>(
    py: Python<'py>,
    opened: &Opened,
    info: &FunctionInfo,
) -> PyResult<Bound<'py, PyAny>> {
    let interface = opened.interface(&info.name);
    let ops = PyDict::new(py);
    for (name, count) in &info.ops {
        ops.set_item(name.as_str(), count)?;
    }
    let inputs = info.inputs.iter().map(|port| input(py, interface.as_ref(), port));
    let outputs = info.outputs.iter().map(|(name, ty)| {
        let described = interface.as_ref().and_then(|i| find(&i.outputs, name));
        feature(py, Facts { name, ty, described, usual_shape: None, default: None })
    });
    let states = info
        .states
        .iter()
        .map(|(name, ty)| feature(py, Facts { name, ty, described: None, usual_shape: None, default: None }));
    let fields = fields!(
        py,
        name: info.name.as_str(),
        opset: info.opset.as_str(),
        inputs: tuple(py, inputs)?,
        outputs: tuple(py, outputs)?,
        states: tuple(py, states)?,
        ops: ops,
        parameters: info.parameters(),
        weight_bytes: info.weights.iter().map(|w| w.bytes).sum::<usize>(),
        flops: info.flops,
    );
    record(py, "Function", &fields)
}

fn tuple<'py>(
    py: Python<'py>,
    items: impl Iterator<Item = PyResult<Bound<'py, PyAny>>>,
) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, items.collect::<PyResult<Vec<_>>>()?)
}

fn find<'f>(features: &'f [Feature], name: &str) -> Option<&'f Feature> {
    features.iter().find(|f| f.name == name)
}

fn input<'py>(py: Python<'py>, interface: Option<&Interface>, port: &Port) -> PyResult<Bound<'py, PyAny>> {
    let facts = Facts {
        name: &port.name,
        ty: &Type::Tensor(port.ty.clone()),
        described: interface.and_then(|i| find(&i.inputs, &port.name)),
        usual_shape: Some(&port.usual_shape),
        default: port.default,
    };
    feature(py, facts)
}

/// What is known of an input, output or state.
struct Facts<'a> {
    name: &'a str,
    ty: &'a Type,
    described: Option<&'a Feature>,
    usual_shape: Option<&'a [usize]>,
    default: Option<f64>,
}

fn feature<'py>(py: Python<'py>, facts: Facts<'_>) -> PyResult<Bound<'py, PyAny>> {
    let tensor = facts.ty.as_tensor();
    let shape = match tensor {
        Some(ty) => PyTuple::new(py, ty.shape.iter().map(|d| d.known()))?.into_py_any(py)?,
        None => py.None(),
    };
    let usual = match facts.usual_shape {
        Some(sizes) => PyTuple::new(py, sizes)?.into_py_any(py)?,
        None => shape.clone_ref(py),
    };
    let described = facts.described.map(|f| &f.kind);
    let (array_type, colors) = match described {
        Some(FeatureKind::MultiArray(array)) => (array.dtype.map(crate::array::dtype_name), None),
        Some(FeatureKind::Image(image)) => (None, Some(colors(image.colors))),
        _ => (None, None),
    };
    let fields = fields!(
        py,
        name: facts.name,
        kind: described.and_then(kind).unwrap_or_else(|| kind_of(facts.ty)),
        r#type: facts.ty.to_string(),
        dtype: facts.ty.element().map(crate::array::dtype_name),
        shape: shape,
        usual_shape: usual,
        optional: facts.default.is_some() || facts.described.is_some_and(|f| f.optional),
        default: facts.default,
        colors: colors,
        array_dtype: array_type,
        description: facts.described.map_or("", |f| f.description.as_str()),
    );
    record(py, "Feature", &fields)
}

/// What the description calls the feature's kind.
fn kind(kind: &FeatureKind) -> Option<&'static str> {
    Some(match kind {
        FeatureKind::Int64 => "int64",
        FeatureKind::Double => "double",
        FeatureKind::String => "string",
        FeatureKind::MultiArray(_) | FeatureKind::State(_) => "array",
        FeatureKind::Image(_) => "image",
        FeatureKind::Dictionary => "dictionary",
        FeatureKind::Sequence => "sequence",
        FeatureKind::Unknown => return None,
    })
}

/// The kind of a feature that nothing describes.
fn kind_of(ty: &Type) -> &'static str {
    match ty {
        Type::Dict(..) => "dictionary",
        Type::List(..) | Type::Tuple(..) => "sequence",
        Type::Tensor(t) if t.dtype == DType::String => "string",
        Type::Tensor(_) | Type::Unranked(_) | Type::State(_) => "array",
    }
}

/// The colours of an image in its tensor's order.
pub(crate) fn colors(colors: Colors) -> &'static str {
    match colors {
        Colors::Grayscale => "grayscale",
        Colors::GrayscaleFp16 => "grayscale_fp16",
        Colors::Bgr => "bgr",
        Colors::Rgb | Colors::Unknown => "rgb",
    }
}
