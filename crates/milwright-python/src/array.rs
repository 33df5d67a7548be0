//! NumPy's arrays as tensors and back.
//!
//! Floats that lie in memory as a tensor's do are read where they are; other inputs are copied once, by NumPy. An output's
//! memory becomes the array's, without a copy, unless the runtime keeps a share of it.

use crate::lent;
use bytes::Bytes;
use milwright::{DType, Tensor};
use numpy::PyArray1;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyDict;
use std::fmt::Display;

/// NumPy's name and type string of each MIL type that it has.
const DTYPES: &[(DType, &str, &str)] = &[
    (DType::Bool, "bool", "|b1"),
    (DType::Fp16, "float16", "<f2"),
    (DType::Fp32, "float32", "<f4"),
    (DType::Fp64, "float64", "<f8"),
    (DType::Int8, "int8", "|i1"),
    (DType::Int16, "int16", "<i2"),
    (DType::Int32, "int32", "<i4"),
    (DType::Int64, "int64", "<i8"),
    (DType::UInt8, "uint8", "|u1"),
    (DType::UInt16, "uint16", "<u2"),
    (DType::UInt32, "uint32", "<u4"),
    (DType::UInt64, "uint64", "<u8"),
];

/// NumPy's name of the type if NumPy has it, else MIL's.
pub(crate) fn dtype_name(dtype: DType) -> &'static str {
    match dtype {
        DType::String => "str",
        _ => DTYPES.iter().find(|(d, ..)| *d == dtype).map_or(dtype.name(), |(_, name, _)| name),
    }
}

/// What an array is given for.
pub(crate) struct Use<'a> {
    /// The file, function and name, for messages.
    pub(crate) place: &'a dyn Display,
    /// The element type it has there, if that is known: numbers become floats for floats, by NumPy. What other
    /// types become is for the runtime to say.
    pub(crate) declared: Option<DType>,
    /// Is it certain that nothing refers to the tensor once the call is over?
    pub(crate) brief: bool,
}

/// Anything that `numpy.asarray` takes as a tensor.
pub(crate) fn to_tensor(value: &Bound<'_, PyAny>, usage: &Use<'_>) -> PyResult<Tensor> {
    let (py, place) = (value.py(), usage.place);
    let array = py.import("numpy")?.call_method1("asarray", (value,));
    let mut array = array.map_err(|e| no_array(py, place, e))?;
    let mut code: String = array.getattr("dtype")?.getattr("str")?.extract()?;
    if code.starts_with('>') {
        let little = array.getattr("dtype")?.call_method1("newbyteorder", ("<",))?;
        array = array.call_method1("astype", (little,))?;
        code.replace_range(..1, "<");
    }
    let declared = usage.declared.filter(|d| d.is_float());
    if let Some((_, _, float)) = declared.and_then(|d| DTYPES.iter().find(|(other, ..)| *other == d))
        && (code[1..].starts_with(['i', 'u']) || matches!(&code[1..], "f2" | "f4" | "f8"))
        && code[1..] != float[1..]
    {
        array = array.call_method1("astype", (*float,))?;
        code = (*float).to_owned();
    }
    let shape: Vec<usize> = array.getattr("shape")?.extract()?;
    let broken = |e| PyValueError::new_err(format!("{place}: the array {e}"));
    if code[1..].starts_with(['U', 'O']) {
        let strings: PyResult<Vec<String>> = array.call_method0("ravel")?.call_method0("tolist")?.extract();
        let strings = strings.map_err(|_| {
            PyTypeError::new_err(format!(
                "{place} must be an array of numbers or strings, not of objects; make it one with \
                 numpy.asarray(VALUE, dtype=numpy.{})",
                usage.declared.map_or("float32", dtype_name),
            ))
        })?;
        return Tensor::from_strings(&shape, strings).map_err(broken);
    }
    let Some((dtype, ..)) = DTYPES.iter().find(|(_, _, c)| c[1..] == code[1..]) else {
        let dtype = array.getattr("dtype")?;
        return Err(PyTypeError::new_err(format!(
            "{place} has elements of type {dtype}, which MIL has not; convert them with .astype(numpy.{})",
            usage.declared.map_or("float32", dtype_name),
        )));
    };
    if usage.brief
        && dtype.is_float()
        && is_set(&array, "c_contiguous")?
        && is_set(&array, "aligned")?
        && let Some(bytes) = lent::lend(&array)?
    {
        return Tensor::from_bytes(*dtype, &shape, bytes).map_err(broken);
    }
    let bytes: PyBackedBytes = array.call_method0("tobytes")?.extract()?;
    // A view of bytes as bools may hold others than 0 and 1.
    let bytes = match *dtype == DType::Bool && bytes.iter().any(|&b| b > 1) {
        true => bytes.iter().map(|&b| u8::from(b != 0)).collect(),
        false => Bytes::from_owner(bytes),
    };
    Tensor::from_bytes(*dtype, &shape, bytes).map_err(broken)
}

fn is_set(array: &Bound<'_, PyAny>, flag: &str) -> PyResult<bool> {
    array.getattr("flags")?.getattr(flag)?.extract()
}

/// The exception for what NumPy makes no array of, with NumPy's own as its cause.
fn no_array(py: Python<'_>, place: &dyn Display, cause: PyErr) -> PyErr {
    let error = PyTypeError::new_err(format!("{place} cannot be made a NumPy array: {}", cause.value(py)));
    error.set_cause(py, Some(cause));
    error
}

/// A tensor as an array, or as a `str` if it is one string. Types that NumPy has not become the next larger one it has.
pub(crate) fn to_python(py: Python<'_>, tensor: Tensor) -> PyResult<Bound<'_, PyAny>> {
    let shape = tensor.shape().to_vec();
    if tensor.dtype() == DType::String {
        if let (true, Some(text)) = (shape.is_empty(), tensor.item_str()) {
            return Ok(text.into_pyobject(py)?.into_any());
        }
        let keywords = PyDict::new(py);
        keywords.set_item("dtype", "str")?;
        let strings = tensor.strings().to_vec();
        let array = py.import("numpy")?.getattr("array")?.call((strings,), Some(&keywords))?;
        return array.call_method1("reshape", (shape,));
    }
    let Some((_, _, code)) = DTYPES.iter().find(|(d, ..)| *d == tensor.dtype()) else {
        return to_python(py, widened(&tensor)?);
    };
    let bytes = tensor.shared_bytes();
    drop(tensor);
    // With no other owner left this takes the memory over; else it is a copy.
    let array = PyArray1::from_vec(py, Vec::from(bytes));
    array.call_method1("view", (*code,))?.call_method1("reshape", (shape,))
}

/// The tensor in a type that NumPy has.
fn widened(tensor: &Tensor) -> PyResult<Tensor> {
    let wide = match tensor.dtype() {
        d if d.is_float() => Tensor::from_f64(DType::Fp32, tensor.shape(), &tensor.to_f64()),
        d if d.is_signed_int() => Tensor::from_i64(DType::Int8, tensor.shape(), &tensor.to_i64()),
        _ => Tensor::from_i64(DType::UInt8, tensor.shape(), &tensor.to_i64()),
    };
    wide.map_err(|e| PyValueError::new_err(e.to_string()))
}
