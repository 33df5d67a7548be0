//! Memory that ports share with us.

use super::api::Api;
use super::handle::Handle;
use crate::error::BridgeError;
use std::ptr::NonNull;

/// A pointer to host memory: the only type that anybody verified.
const HOST: u32 = 0;

/// A buffer of the library's, and its memory.
#[derive(Debug)]
pub(super) struct Buffer {
    pub(super) handle: Handle,
    base: NonNull<u8>,
    bytes: usize,
}

// SAFETY: plain bytes, owned with the handle; touched through `&` to read and `&mut` to write, and never while a stream runs,
// which its owner sees to.
unsafe impl Send for Buffer {}
// SAFETY: as above.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// A zeroed buffer; `bytes` is more than 0 and a multiple of 64.
    pub(super) fn new(api: &Api, bytes: usize) -> Result<Buffer, BridgeError> {
        let handle = Handle::new("e5rt_buffer_object_alloc", api.e5rt_buffer_object_release, |out| {
            // SAFETY: an out-pointer.
            unsafe { api.e5rt_buffer_object_alloc(out, bytes as u64, HOST) }
        })?;
        let mut base = std::ptr::null_mut();
        // SAFETY: a live buffer and an out-pointer.
        unsafe { api.e5rt_buffer_object_get_data_ptr(handle.raw(), &raw mut base)? };
        let base = NonNull::new(base.cast::<u8>());
        let base = base.ok_or(BridgeError::Null { call: "e5rt_buffer_object_get_data_ptr" })?;
        // SAFETY: the allocation has that many bytes.
        unsafe { base.write_bytes(0, bytes) };
        Ok(Buffer { handle, base, bytes })
    }

    /// Its contents.
    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: that many bytes, initialised in `new`, alive with the handle, and nothing runs on them now.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr(), self.bytes) }
    }

    /// Its contents, to be changed.
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`, and `&mut self` makes it exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.base.as_ptr(), self.bytes) }
    }
}
