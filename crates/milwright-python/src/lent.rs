//! Memory that NumPy lends: the one file of the Python package with `unsafe`, because nothing in Python's or NumPy's interface
//! forbids another thread to write to an array meanwhile.

#![allow(unsafe_code, reason = "an array is read while the interpreter's lock is released, see SAFETY")]

use bytes::Bytes;
use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;

/// The elements of an array, kept alive with it.
struct Lent {
    /// Bytes of the array; holds a reference to it, so that NumPy neither frees nor moves them.
    _array: Py<PyArray1<u8>>,
    start: *const u8,
    len: usize,
}

// SAFETY: `_array` may be sent and shared as any `Py`, and the pointer is only read from.
unsafe impl Send for Lent {}
// SAFETY: as above; there is no interior mutability.
unsafe impl Sync for Lent {}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: `start` and `len` are a slice's that rust-numpy made of `_array`, which keeps the memory where it is: NumPy
        // refuses to resize an array that others refer to. That nobody writes to it during a prediction is the documented duty
        // of the caller, as with NumPy's own functions that release the lock. Only floats are lent: every bit pattern
        // is valid, and none is checked first and relied on later, so a write can give wrong numbers but no invalid access.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }
}

/// The elements of a C-contiguous array without a copy, or nothing if Rust code is just writing to it.
pub(crate) fn lend(array: &Bound<'_, PyAny>) -> PyResult<Option<Bytes>> {
    let bytes = array.call_method1("reshape", (-1,))?.call_method1("view", ("uint8",))?;
    let bytes = bytes.cast_into::<PyArray1<u8>>()?;
    let Ok(guard) = bytes.try_readonly() else { return Ok(None) };
    let Ok(slice) = guard.as_slice() else { return Ok(None) };
    let (start, len) = (slice.as_ptr(), slice.len());
    drop(guard);
    Ok(Some(Bytes::from_owner(Lent { _array: bytes.unbind(), start, len })))
}
