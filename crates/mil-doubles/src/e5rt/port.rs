//! Ports and what they say of themselves.

use super::buffer::Buffer;
use super::call::calls;
use super::handle::{Fault, Handle, Object, get, give, put, release};
use super::layout::Layout;
use super::library::Function;
use super::operation::Operation;
use crate::behaviour;
use std::sync::Arc;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    Input,
    Output,
    Inout,
}

pub(super) struct IoPort {
    pub(super) operation: Arc<Operation>,
    pub(super) kind: Kind,
    pub(super) index: usize,
    pub(super) desc: TensorDesc,
}

#[derive(Clone)]
pub(super) struct TensorDesc {
    pub(super) layout: Layout,
}

struct ElementType {
    bytes: u64,
}

impl Object for IoPort {
    const KIND: &'static str = "io port";
}
impl Object for TensorDesc {
    const KIND: &'static str = "tensor desc";
}
impl Object for ElementType {
    const KIND: &'static str = "tensor desc dtype";
}

impl TensorDesc {
    /// The port of that name, with its place.
    pub(super) fn of(function: &Function, kind: Kind, name: &str) -> Result<(usize, TensorDesc), Fault> {
        let signature = &function.library.compiled.functions[function.index];
        let ports = match kind {
            Kind::Input => &signature.inputs,
            Kind::Output => &signature.outputs,
            Kind::Inout => &signature.states,
        };
        let index = ports.iter().position(|p| p.name.as_str() == name);
        let index = index.ok_or_else(|| Fault::argument(format!("double: no port `{name}`")))?;
        Ok((index, TensorDesc { layout: Layout::of(&ports[index])? }))
    }
}

/// A number of an axis.
fn axis(desc: Handle, axis: u64, numbers: fn(&Layout) -> &[usize]) -> Result<u64, Fault> {
    let desc = get::<TensorDesc>(desc)?;
    let found = usize::try_from(axis).ok().and_then(|axis| numbers(&desc.layout).get(axis).copied());
    found.map(|n| n as u64).ok_or_else(|| Fault::bounds("double: no such axis"))
}

calls! {
    fn e5rt_io_port_bind_buffer_object(port: Handle, buffer: Handle) {
        let (port, buffer) = (get::<IoPort>(port)?, get::<Buffer>(buffer)?);
        if buffer.bytes() < port.desc.layout.bytes {
            return Err(Fault::bounds("double: the buffer is smaller than the port"));
        }
        port.operation.bind(port.kind, port.index, buffer)
    }

    fn e5rt_io_port_release(port: *mut Handle) {
        // SAFETY: the address of a handle.
        unsafe { release::<IoPort>(port) }.map(drop)
    }

    fn e5rt_io_port_is_tensor(port: Handle, out: *mut bool) {
        get::<IoPort>(port)?;
        // SAFETY: an out-pointer.
        unsafe { put(out, true) }
    }

    fn e5rt_io_port_retain_tensor_desc(port: Handle, out: *mut Handle) {
        let desc = get::<IoPort>(port)?.desc.clone();
        // SAFETY: an out-pointer.
        unsafe { give(out, Arc::new(desc)) }
    }

    fn e5rt_tensor_desc_release(desc: *mut Handle) {
        // SAFETY: the address of a handle.
        unsafe { release::<TensorDesc>(desc) }.map(drop)
    }

    fn e5rt_tensor_desc_get_rank(desc: Handle, out: *mut u64) {
        let rank = get::<TensorDesc>(desc)?.layout.shape.len() as u64;
        // SAFETY: an out-pointer.
        unsafe { put(out, rank) }
    }

    fn e5rt_tensor_desc_get_dimension_length(desc: Handle, dimension: u64, out: *mut u64) {
        let length = axis(desc, dimension, |l| &l.shape)?;
        // SAFETY: an out-pointer.
        unsafe { put(out, length) }
    }

    fn e5rt_tensor_desc_get_dimension_stride(desc: Handle, dimension: u64, out: *mut u64) {
        let bytes = axis(desc, dimension, |l| &l.strides)?;
        let unit = match behaviour::is_on("e5rt/strides-in-bytes") {
            true => 1,
            false => get::<TensorDesc>(desc)?.layout.element as u64,
        };
        // SAFETY: an out-pointer.
        unsafe { put(out, bytes / unit) }
    }

    fn e5rt_tensor_desc_get_size(desc: Handle, out: *mut u64) {
        let bytes = get::<TensorDesc>(desc)?.layout.bytes as u64;
        // SAFETY: an out-pointer.
        unsafe { put(out, bytes) }
    }

    fn e5rt_tensor_desc_retain_dtype(desc: Handle, out: *mut Handle) {
        let bytes = get::<TensorDesc>(desc)?.layout.element as u64;
        // SAFETY: an out-pointer.
        unsafe { give(out, Arc::new(ElementType { bytes })) }
    }

    fn e5rt_tensor_desc_dtype_get_element_size(dtype: Handle, out: *mut u64) {
        let bytes = get::<ElementType>(dtype)?.bytes;
        // SAFETY: an out-pointer.
        unsafe { put(out, bytes) }
    }

    fn e5rt_tensor_desc_dtype_release(dtype: *mut Handle) {
        // SAFETY: the address of a handle.
        unsafe { release::<ElementType>(dtype) }.map(drop)
    }
}
