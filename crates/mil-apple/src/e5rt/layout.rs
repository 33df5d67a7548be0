//! Where a port's elements lie in its buffer, as the port itself says.

use super::api::{Api, Raw};
use super::handle::Handle;
use crate::codes;
use crate::error::BridgeError;
use crate::ports::Port;

/// Buffers are a multiple of this, as every known caller makes them.
const GRAIN: usize = 64;

/// The places of a tensor's elements: runs of `run` bytes, one for each index of the outer axes.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Layout {
    /// Sizes and byte strides of the axes that are not within a run.
    outer: Vec<(usize, usize)>,
    /// Bytes that lie together.
    run: usize,
    /// Bytes of a buffer that holds it.
    pub(super) bytes: usize,
}

/// What a port says of itself.
#[derive(Debug)]
struct Described {
    sizes: Vec<usize>,
    strides: Vec<usize>,
    element: usize,
    size: usize,
}

impl Layout {
    /// The layout of a port: asked for, or dense where the library cannot be asked.
    ///
    /// Errors: the port's sizes or element are not the program's, or the strides make no sense.
    pub(super) fn of(api: &Api, port: Raw, tensor: &Port) -> Result<Layout, BridgeError> {
        let element =
            tensor.dtype.bytes_for(1).filter(|_| tensor.dtype.bits().is_multiple_of(8)).ok_or_else(|| {
                BridgeError::refused(
                    codes::PORT_TYPE,
                    format!("`{}` is {}, whose elements are no whole bytes", tensor.name, tensor.dtype),
                    "cast it inside the program",
                )
            })?;
        let described = match api.describes_ports() {
            true => describe(api, port)?,
            false => dense(&tensor.shape, element),
        };
        let odd = || {
            BridgeError::refused(
                codes::UNSUPPORTED,
                format!("the port `{}` of {:?} says of itself {described:?}", tensor.name, tensor.shape),
                "please report it with the program and the system's version",
            )
        };
        // Sizes of 1 may have been added or dropped on the way; they have no place.
        let axes = described.sizes.iter().zip(&described.strides).filter(|(n, _)| **n != 1);
        let axes: Vec<(usize, usize)> = axes.map(|(&n, &s)| (n, s)).collect();
        let wanted: Vec<usize> = tensor.shape.iter().copied().filter(|&n| n != 1).collect();
        let same = axes.iter().map(|(n, _)| *n).eq(wanted.iter().copied()) && described.element == element;
        if !same || described.strides.len() != described.sizes.len() {
            return Err(odd());
        }
        Layout::new(axes, element, described.size).ok_or_else(odd)
    }

    /// From sizes and strides, whose unit may be bytes or elements: nobody says, so it is the one that fits.
    fn new(axes: Vec<(usize, usize)>, element: usize, size: usize) -> Option<Layout> {
        if axes.iter().any(|(n, _)| *n == 0) {
            return Some(Layout { outer: Vec::new(), run: 0, bytes: GRAIN });
        }
        let extent = |unit: usize| {
            axes.iter().try_fold(element, |sum, (n, s)| {
                s.checked_mul(unit)?.checked_mul(n - 1).and_then(|far| sum.checked_add(far))
            })
        };
        let fits = |unit: usize| extent(unit).is_some_and(|bytes| bytes <= size);
        let inner = axes.last().map_or(element, |(_, s)| *s);
        let unit = match inner {
            inner if inner == element => 1,
            1 => element,
            inner if inner > element && !fits(element) => 1,
            _ if fits(element) => element,
            _ => return None,
        };
        let bytes = extent(unit)?.max(size).max(GRAIN).checked_next_multiple_of(GRAIN)?;
        isize::try_from(bytes).ok()?;
        let mut outer: Vec<(usize, usize)> = axes.iter().map(|&(n, s)| (n, s * unit)).collect();
        let mut run = element;
        while let Some(&(n, stride)) = outer.last().filter(|(_, stride)| *stride == run) {
            run = n * stride;
            outer.pop();
        }
        Some(Layout { outer, run, bytes })
    }

    /// Calls `f` with the place of each run in the buffer.
    fn runs(&self, mut f: impl FnMut(usize)) {
        if self.run == 0 {
            return;
        }
        let mut index = vec![0; self.outer.len()];
        let mut place = 0;
        loop {
            f(place);
            let Some(axis) = (0..index.len()).rev().find(|&a| index[a] + 1 < self.outer[a].0) else { return };
            index[axis] += 1;
            place += self.outer[axis].1;
            for (i, (_, stride)) in index.iter_mut().zip(&self.outer).skip(axis + 1) {
                place -= *i * stride;
                *i = 0;
            }
        }
    }

    /// The packed bytes of what a buffer of [`Layout::bytes`] bytes holds.
    pub(super) fn pack(&self, buffer: &[u8]) -> Vec<u8> {
        let mut packed = Vec::with_capacity(self.outer.iter().map(|(n, _)| n).product::<usize>() * self.run);
        self.runs(|place| packed.extend_from_slice(&buffer[place..place + self.run]));
        packed
    }

    /// Spreads packed bytes over a buffer. What lies between is left as it was.
    pub(super) fn unpack(&self, packed: &[u8], buffer: &mut [u8]) {
        let mut from = packed.chunks_exact(self.run.max(1));
        self.runs(|place| {
            if let Some(bytes) = from.next() {
                buffer[place..place + self.run].copy_from_slice(bytes);
            }
        });
    }
}

fn dense(shape: &[usize], element: usize) -> Described {
    let mut strides = vec![element; shape.len()];
    let mut size = element;
    for (stride, &n) in strides.iter_mut().zip(shape).rev() {
        *stride = size;
        size = size.saturating_mul(n);
    }
    Described { sizes: shape.to_vec(), strides, element, size }
}

/// A rank beyond this is not believed.
const MAX_RANK: u64 = 16;

fn describe(api: &Api, port: Raw) -> Result<Described, BridgeError> {
    let Some((release, dtype_release)) = api.desc_releases() else {
        return Err(BridgeError::Null { call: "e5rt_tensor_desc_release" });
    };
    let number = |get: &dyn Fn(*mut u64) -> Result<(), BridgeError>| -> Result<u64, BridgeError> {
        let mut n = 0;
        get(&raw mut n)?;
        Ok(n)
    };
    let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    // SAFETY: a live port, and below a live description and its type; every out-pointer is a local variable.
    unsafe {
        let desc = Handle::new("e5rt_io_port_retain_tensor_desc", release, |out| {
            api.e5rt_io_port_retain_tensor_desc(port, out)
        })?;
        let raw = desc.raw();
        let rank = number(&|out| api.e5rt_tensor_desc_get_rank(raw, out))?.min(MAX_RANK);
        let mut described = Described { sizes: Vec::new(), strides: Vec::new(), element: 0, size: 0 };
        for axis in 0..rank {
            let n = number(&|out| api.e5rt_tensor_desc_get_dimension_length(raw, axis, out))?;
            let stride = number(&|out| api.e5rt_tensor_desc_get_dimension_stride(raw, axis, out))?;
            described.sizes.push(size(n));
            described.strides.push(size(stride));
        }
        described.size = size(number(&|out| api.e5rt_tensor_desc_get_size(raw, out))?);
        let dtype = Handle::new("e5rt_tensor_desc_retain_dtype", dtype_release, |out| {
            api.e5rt_tensor_desc_retain_dtype(raw, out)
        })?;
        let element = number(&|out| api.e5rt_tensor_desc_dtype_get_element_size(dtype.raw(), out))?;
        described.element = size(element);
        Ok(described)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(axes: &[(usize, usize)], element: usize, size: usize) -> Option<Layout> {
        Layout::new(axes.to_vec(), element, size)
    }

    #[test]
    fn strides_are_read_in_bytes_or_in_elements() {
        let bytes = layout(&[(2, 192), (3, 64), (5, 2)], 2, 384).unwrap();
        let elements = layout(&[(2, 96), (3, 32), (5, 1)], 2, 384).unwrap();
        assert_eq!(bytes, elements);
        assert_eq!((bytes.outer.as_slice(), bytes.run, bytes.bytes), (&[(2, 192), (3, 64)][..], 10, 384));
    }

    #[test]
    fn dense_axes_join_into_one_run() {
        let l = layout(&[(2, 12), (3, 4), (2, 2)], 2, 24).unwrap();
        assert_eq!((l.outer.len(), l.run, l.bytes), (0, 24, 64));
        assert_eq!(layout(&[], 2, 2).unwrap().run, 2);
        assert_eq!(layout(&[(2, 4), (0, 2)], 2, 0).unwrap().run, 0);
    }

    #[test]
    fn elements_may_lie_apart() {
        let l = layout(&[(2, 128), (3, 32)], 2, 256).unwrap();
        let mut buffer = vec![9; l.bytes];
        let packed: Vec<u8> = (0..12).collect();
        l.unpack(&packed, &mut buffer);
        assert_eq!(l.pack(&buffer), packed);
        assert_eq!((buffer[32], buffer[33], buffer[34], buffer[128]), (2, 3, 9, 6));
    }

    #[test]
    fn strides_that_make_no_sense_are_refused() {
        assert_eq!(layout(&[(2, usize::MAX)], 2, 64), None);
        assert_eq!(layout(&[(2, 2), (1 << 20, 0)], 2, 0), None);
    }
}
