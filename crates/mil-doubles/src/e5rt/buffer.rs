//! Buffers (calls 18 and 19). Their contents are not promised to be zero.

use super::call::calls;
use super::handle::{Fault, Handle, Object, get, give, put, release};
use crate::behaviour;
use crate::surface::{self, Surface};
use std::alloc::{Layout, alloc, dealloc};
use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::Arc;

const ALIGN: usize = 64;
/// What fresh memory holds.
const FRESH: u8 = 0xCD;

enum Owner {
    /// Allocated here.
    Ours(Layout),
    /// The caller's memory.
    Caller,
    /// A surface we hold a reference to.
    Surface(NonNull<Surface>),
}

pub(super) struct Buffer {
    base: NonNull<u8>,
    bytes: usize,
    kind: u32,
    owner: Owner,
}

// SAFETY: the memory is plain bytes. Who may touch it when is the callers' contract: not while an operation runs on it.
unsafe impl Send for Buffer {}
// SAFETY: as above.
unsafe impl Sync for Buffer {}

impl Object for Buffer {
    const KIND: &'static str = "buffer object";
}

impl Buffer {
    fn alloc(bytes: u64, kind: u32) -> Result<Buffer, Fault> {
        if kind >= 3 && behaviour::is_on("e5rt/buffer-types") {
            return Err(Fault::type_parameter("double: no such buffer type"));
        }
        if !bytes.is_multiple_of(ALIGN as u64) && behaviour::is_on("e5rt/buffer-multiple-of-64") {
            return Err(Fault::argument("double: the size is not a multiple of 64"));
        }
        let layout = usize::try_from(bytes).ok().and_then(|n| Layout::from_size_align(n, ALIGN).ok());
        let layout =
            layout.filter(|l| l.size() > 0).ok_or_else(|| Fault::argument("double: no such size"))?;
        // SAFETY: the layout has a size.
        let base = NonNull::new(unsafe { alloc(layout) });
        let base = base.ok_or_else(|| Fault::allocation("double: out of memory"))?;
        // SAFETY: just allocated with that size.
        unsafe { base.write_bytes(FRESH, layout.size()) };
        Ok(Buffer { base, bytes: layout.size(), kind, owner: Owner::Ours(layout) })
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The memory, for an operation that runs.
    ///
    /// # Safety
    /// Nobody else uses the memory until the slice is gone.
    #[expect(
        clippy::mut_from_ref,
        reason = "a buffer is memory shared with the caller; exclusiveness is its contract"
    )]
    pub(super) unsafe fn memory(&self) -> &mut [u8] {
        // SAFETY: `bytes` bytes that live as long as self; exclusive as the caller promises.
        unsafe { std::slice::from_raw_parts_mut(self.base.as_ptr(), self.bytes) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        match self.owner {
            // SAFETY: allocated with this layout.
            Owner::Ours(layout) => unsafe { dealloc(self.base.as_ptr(), layout) },
            Owner::Caller => {}
            // SAFETY: the reference taken when the buffer was made.
            Owner::Surface(surface) => unsafe { surface::release(surface.as_ptr()) },
        }
    }
}

calls! {
    fn e5rt_buffer_object_alloc(out: *mut Handle, bytes: u64, kind: u32) {
        let buffer = Buffer::alloc(bytes, kind)?;
        // SAFETY: an out-pointer.
        unsafe { give(out, Arc::new(buffer)) }
    }

    fn e5rt_buffer_object_create_from_data_pointer(out: *mut Handle, data: *mut c_void, bytes: u64) {
        let base = NonNull::new(data.cast::<u8>()).ok_or_else(|| Fault::argument("double: no memory"))?;
        let bytes = usize::try_from(bytes).map_err(|_| Fault::argument("double: no such size"))?;
        // SAFETY: an out-pointer.
        unsafe { give(out, Arc::new(Buffer { base, bytes, kind: 0, owner: Owner::Caller })) }
    }

    fn e5rt_buffer_object_create_from_iosurface(out: *mut Handle, surface: *mut c_void) {
        let surface = NonNull::new(surface.cast::<Surface>());
        let surface = surface.ok_or_else(|| Fault::argument("double: no surface"))?;
        // SAFETY: a surface of ours, alive while the caller holds it.
        let (base, bytes) = unsafe {
            surface::retain(surface.as_ptr());
            (surface.as_ref().base(), surface.as_ref().bytes())
        };
        let owner = Owner::Surface(surface);
        let base = NonNull::new(base).ok_or_else(|| Fault::argument("double: an empty surface"))?;
        // SAFETY: an out-pointer.
        unsafe { give(out, Arc::new(Buffer { base, bytes, kind: 2, owner })) }
    }

    fn e5rt_buffer_object_get_data_ptr(buffer: Handle, out: *mut *mut c_void) {
        let base = get::<Buffer>(buffer)?.base.as_ptr().cast();
        // SAFETY: an out-pointer.
        unsafe { put(out, base) }
    }

    fn e5rt_buffer_object_get_size(buffer: Handle, out: *mut u64) {
        let bytes = get::<Buffer>(buffer)?.bytes as u64;
        // SAFETY: an out-pointer.
        unsafe { put(out, bytes) }
    }

    fn e5rt_buffer_object_get_type(buffer: Handle, out: *mut u32) {
        let kind = get::<Buffer>(buffer)?.kind;
        // SAFETY: an out-pointer.
        unsafe { put(out, kind) }
    }

    fn e5rt_buffer_object_release(buffer: *mut Handle) {
        // SAFETY: the address of a handle.
        unsafe { release::<Buffer>(buffer) }.map(drop)
    }
}
