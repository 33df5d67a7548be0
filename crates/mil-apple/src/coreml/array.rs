//! `MLMultiArray`: made from a tensor, read into one, by element type and strides.

use crate::codes;
use crate::error::BridgeError;
use crate::objc::{AnyObject, Obj, Raised, alloc, ns, outcome};
use crate::{poison, send};
use bytes::Bytes;
use mil_base::{DType, Tensor};
use std::ffi::c_void;

/// The framework's number for an element type: its bits, with a flag for floats and one for integers.
pub fn data_type(dtype: DType) -> Option<i64> {
    match dtype {
        DType::Fp16 => Some(0x10010),
        DType::Fp32 => Some(0x10020),
        DType::Fp64 => Some(0x10040),
        DType::Int32 => Some(0x20020),
        // From macOS 26 on.
        DType::Int8 => Some(0x20008),
        _ => None,
    }
}

fn dtype_of(number: i64) -> Option<DType> {
    [DType::Fp16, DType::Fp32, DType::Fp64, DType::Int32, DType::Int8]
        .into_iter()
        .find(|&d| data_type(d) == Some(number))
}

/// An array of zeros. A scalar becomes an array of one element, since an array has at least one axis.
///
/// Errors: `apple/port-type` for an element type that arrays do not have.
pub fn new(dtype: DType, shape: &[usize]) -> Result<Obj, BridgeError> {
    let Some(number) = data_type(dtype) else {
        return Err(BridgeError::refused(
            codes::PORT_TYPE,
            format!("a tensor of {dtype} cannot cross the boundary of a Core ML model"),
            "cast inside the program; fp16, fp32 and int32 can cross",
        ));
    };
    let shape = if shape.is_empty() { &[1][..] } else { shape };
    let sizes: Vec<Obj> = shape.iter().map(|&n| ns::uint(n as u64)).collect();
    let sizes = ns::array(sizes.iter().map(|n| &**n));
    let mut error = Raised::none();
    let memory = alloc("MLMultiArray")?;
    let array = send!("-[MLMultiArray initWithShape:dataType:error:]", "@@:@q^@",
        [memory, initWithShape: &*sizes, dataType: number, error: &mut error.0] -> Option<Obj>)?;
    outcome::object("-[MLMultiArray initWithShape:dataType:error:]", array, error.take())
}

/// An array with a tensor's values.
pub fn of(tensor: &Tensor) -> Result<Obj, BridgeError> {
    let array = new(tensor.dtype(), tensor.shape())?;
    write(&array, tensor)?;
    Ok(array)
}

/// Fills an array of [`new`] with the poison pattern.
pub fn fill_with_poison(array: &AnyObject) -> Result<(), BridgeError> {
    let view = View::of(array)?;
    let mut pattern = vec![0; view.bytes()];
    poison::fill(&mut pattern);
    view.scatter(&pattern);
    Ok(())
}

/// Does an array still hold the pattern?
pub fn is_untouched(array: &AnyObject) -> Result<bool, BridgeError> {
    Ok(poison::untouched(&View::of(array)?.gather()))
}

/// Copies a tensor's values into an array of as many elements and the same type.
pub fn write(array: &AnyObject, tensor: &Tensor) -> Result<(), BridgeError> {
    let view = View::of(array)?;
    if view.dtype != tensor.dtype() || view.bytes() != tensor.bytes().len() {
        return Err(unlike(&view, &tensor.ty().to_string()));
    }
    view.scatter(tensor.bytes());
    Ok(())
}

/// The values of an array as a tensor of the given type. A scalar may come as an array of one element.
pub fn read(array: &AnyObject, dtype: DType, rank: usize) -> Result<Tensor, BridgeError> {
    let view = View::of(array)?;
    let shape = if rank == 0 && view.bytes() == view.width { &[][..] } else { &view.shape };
    if view.dtype != dtype || shape.len() != rank {
        return Err(unlike(&view, &format!("{dtype} of rank {rank}")));
    }
    Tensor::from_bytes(dtype, shape, Bytes::from(view.gather()))
        .map_err(|_| unlike(&view, &format!("{dtype} of rank {rank}")))
}

fn unlike(view: &View, wanted: &str) -> BridgeError {
    BridgeError::refused(
        codes::PORT_TYPE,
        format!(
            "the framework has an array of {} with shape {:?} where the program has {wanted}",
            view.dtype, view.shape
        ),
        "please report it with the program and the system's version",
    )
}

/// An array's memory. It lives as long as the array, which the functions above borrow for all of their use of it.
struct View {
    base: *mut u8,
    dtype: DType,
    width: usize,
    shape: Vec<usize>,
    /// In elements.
    strides: Vec<usize>,
}

impl View {
    fn of(array: &AnyObject) -> Result<View, BridgeError> {
        let number = send!("-[MLMultiArray dataType]", "q@:", [array, dataType] -> i64)?;
        let shape = send!("-[MLMultiArray shape]", "@@:", [array, shape] -> Option<Obj>)?;
        let strides = send!("-[MLMultiArray strides]", "@@:", [array, strides] -> Option<Obj>)?;
        let base = send!("-[MLMultiArray dataPointer]", "^v@:", [array, dataPointer] -> *mut c_void)?;
        let numbers = |list: Option<Obj>| -> Option<Vec<usize>> {
            ns::items(&*list?).iter().map(|n| usize::try_from(ns::to_int(n)).ok()).collect()
        };
        let odd = || {
            BridgeError::refused(
                codes::PORT_TYPE,
                format!("the framework has an array of type {number:#x} that is not understood"),
                "please report it with the program and the system's version",
            )
        };
        let (Some(shape), Some(strides)) = (numbers(shape), numbers(strides)) else { return Err(odd()) };
        let dtype = dtype_of(number).ok_or_else(odd)?;
        let width = dtype.bits() / 8;
        let fits = mil_base::tensor::count(&shape).and_then(|n| n.checked_mul(width)).is_some();
        if shape.len() != strides.len() || base.is_null() || !fits {
            return Err(odd());
        }
        Ok(View { base: base.cast(), dtype, width, shape, strides })
    }

    /// Of the packed elements.
    fn bytes(&self) -> usize {
        self.shape.iter().product::<usize>() * self.width
    }

    /// Calls `f` with the byte offset in the array and in the packed elements of every run of adjacent elements.
    fn runs(&self, mut f: impl FnMut(usize, usize, usize)) {
        let mut inner = self.shape.len();
        let mut run = 1;
        while inner > 0 && (self.strides[inner - 1] == run || self.shape[inner - 1] == 1) {
            inner -= 1;
            run *= self.shape[inner];
        }
        if run == 0 || self.shape.contains(&0) {
            return;
        }
        let mut at = vec![0; inner];
        let mut packed = 0;
        loop {
            let offset: usize = at.iter().zip(&self.strides).map(|(i, s)| i * s).sum();
            f(offset * self.width, packed, run * self.width);
            packed += run * self.width;
            let Some(axis) = (0..inner).rev().find(|&a| at[a] + 1 < self.shape[a]) else { return };
            at[axis] += 1;
            at[axis + 1..].fill(0);
        }
    }

    fn gather(&self) -> Vec<u8> {
        let mut packed = vec![0; self.bytes()];
        self.runs(|from, to, n| {
            // SAFETY: the framework allocated the array for its shape and strides, and nobody writes to it meanwhile: it is
            // ours, or the output of a prediction that is over, or lent by a state's handler.
            let run = unsafe { std::slice::from_raw_parts(self.base.add(from), n) };
            packed[to..to + n].copy_from_slice(run);
        });
        packed
    }

    fn scatter(&self, packed: &[u8]) {
        self.runs(|to, from, n| {
            // SAFETY: as in `gather`.
            unsafe { std::ptr::copy_nonoverlapping(packed[from..from + n].as_ptr(), self.base.add(to), n) };
        });
    }
}
