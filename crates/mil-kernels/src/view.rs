//! Typed views of byte buffers, and the one way threads write to disjoint parts of a buffer.

use bytemuck::Pod;
use mil_base::{DType, f16};
use std::marker::PhantomData;
use std::ops::Range;

/// The bytes as elements of `T`.
///
/// # Panics
/// When the address is not aligned for `T` or the length is not a whole number of elements: a planner's mistake,
/// never a user's, since buffers are 64-byte aligned and sized from shapes.
pub fn bytes_as<T: Pod>(bytes: &[u8]) -> &[T] {
    bytemuck::cast_slice(bytes)
}

/// The bytes as elements of `T`, to write; panics as [`bytes_as`] does.
pub fn bytes_as_mut<T: Pod>(bytes: &mut [u8]) -> &mut [T] {
    bytemuck::cast_slice_mut(bytes)
}

/// Cuts `count` elements of `T` off the front of a scratch slice; panics when it is too short.
pub fn take_scratch<T: Pod>(scratch: &mut [u8], count: usize) -> (&mut [T], &mut [u8]) {
    let bytes = (count * size_of::<T>()).next_multiple_of(64).min(scratch.len());
    let (front, rest) = scratch.split_at_mut(bytes);
    (&mut bytes_as_mut::<T>(&mut front[..count * size_of::<T>()])[..count], rest)
}

/// Elements of a floating-point tensor in either of the two precisions kernels take.
#[derive(Clone, Copy, Debug)]
pub enum Floats<'a> {
    /// fp32.
    F32(&'a [f32]),
    /// fp16.
    F16(&'a [f16]),
}

impl<'a> Floats<'a> {
    /// The view of `bytes` as `dtype`; `None` when that is not fp16 or fp32.
    pub fn new(dtype: DType, bytes: &'a [u8]) -> Option<Floats<'a>> {
        match dtype {
            DType::Fp32 => Some(Floats::F32(bytes_as(bytes))),
            DType::Fp16 => Some(Floats::F16(bytes_as(bytes))),
            _ => None,
        }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        match self {
            Floats::F32(s) => s.len(),
            Floats::F16(s) => s.len(),
        }
    }

    /// Has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Part of the elements.
    pub fn slice(&self, range: Range<usize>) -> Floats<'a> {
        match self {
            Floats::F32(s) => Floats::F32(&s[range]),
            Floats::F16(s) => Floats::F16(&s[range]),
        }
    }

    /// The elements from `start` on as fp32 into `out`.
    pub fn read(&self, start: usize, out: &mut [f32]) {
        match self {
            Floats::F32(s) => out.copy_from_slice(&s[start..start + out.len()]),
            Floats::F16(s) => crate::float::expand(&s[start..start + out.len()], out),
        }
    }

    /// The elements as fp32: themselves if they are, else expanded into the front of `buffer`.
    pub fn view<'b>(self, buffer: &'b mut [f32]) -> &'b [f32]
    where
        'a: 'b,
    {
        match self {
            Floats::F32(s) => s,
            Floats::F16(s) => {
                crate::float::expand(s, &mut buffer[..s.len()]);
                &buffer[..s.len()]
            }
        }
    }

    /// One element as fp32.
    pub fn get(&self, index: usize) -> f32 {
        match self {
            Floats::F32(s) => s[index],
            Floats::F16(s) => s[index].to_f32(),
        }
    }
}

/// As [`Floats`], to write.
#[derive(Debug)]
pub enum FloatsMut<'a> {
    /// fp32.
    F32(&'a mut [f32]),
    /// fp16.
    F16(&'a mut [f16]),
}

impl<'a> FloatsMut<'a> {
    /// The view of `bytes` as `dtype`; `None` when that is not fp16 or fp32.
    pub fn new(dtype: DType, bytes: &'a mut [u8]) -> Option<FloatsMut<'a>> {
        match dtype {
            DType::Fp32 => Some(FloatsMut::F32(bytes_as_mut(bytes))),
            DType::Fp16 => Some(FloatsMut::F16(bytes_as_mut(bytes))),
            _ => None,
        }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        match self {
            FloatsMut::F32(s) => s.len(),
            FloatsMut::F16(s) => s.len(),
        }
    }

    /// Has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Stores `values` from `start` on, rounding if these are fp16.
    pub fn write(&mut self, start: usize, values: &[f32]) {
        let range = start..start + values.len();
        match self {
            FloatsMut::F32(s) => s[range].copy_from_slice(values),
            FloatsMut::F16(s) => crate::float::round(values, &mut s[range]),
        }
    }

    pub(crate) fn shared(self) -> SharedFloats<'a> {
        match self {
            FloatsMut::F32(s) => SharedFloats::F32(SharedMut::new(s)),
            FloatsMut::F16(s) => SharedFloats::F16(SharedMut::new(s)),
        }
    }
}

/// A slice that several threads write, each its own part.
pub(crate) struct SharedMut<'a, T> {
    start: *mut T,
    len: usize,
    life: PhantomData<&'a mut [T]>,
}

impl<T> Clone for SharedMut<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for SharedMut<'_, T> {}

// SAFETY: it is a `&mut [T]` whose parts are given out by `slice`, whose callers promise that they do not overlap.
unsafe impl<T: Send> Send for SharedMut<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for SharedMut<'_, T> {}

impl<'a, T> SharedMut<'a, T> {
    pub(crate) fn new(slice: &'a mut [T]) -> SharedMut<'a, T> {
        SharedMut { start: slice.as_mut_ptr(), len: slice.len(), life: PhantomData }
    }

    /// The elements of `range`, which is checked against the length.
    ///
    /// # Safety
    /// No other live slice of this buffer may overlap `range`.
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn slice(&self, range: Range<usize>) -> &'a mut [T] {
        assert!(range.start <= range.end && range.end <= self.len);
        // SAFETY: in bounds by the check above, and unaliased by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }
}

/// A floating-point output that several threads write, each its own part.
#[derive(Clone, Copy)]
pub(crate) enum SharedFloats<'a> {
    F32(SharedMut<'a, f32>),
    F16(SharedMut<'a, f16>),
}

impl SharedFloats<'_> {
    /// Stores `values` from `start` on, rounding if the output is fp16.
    ///
    /// # Safety
    /// No other thread may touch these elements at the same time.
    pub(crate) unsafe fn write(&self, start: usize, values: &[f32]) {
        let range = start..start + values.len();
        match self {
            // SAFETY: the caller's promise.
            SharedFloats::F32(s) => unsafe { s.slice(range) }.copy_from_slice(values),
            // SAFETY: the caller's promise.
            SharedFloats::F16(s) => crate::float::round(values, unsafe { s.slice(range) }),
        }
    }
}
