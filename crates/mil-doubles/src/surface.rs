//! IOSurface, as far as the bridges use it: zeroed bytes with a reference count and a lock count.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

/// Surfaces alive in the process; a test of leaks asks.
static ALIVE: AtomicUsize = AtomicUsize::new(0);
/// Cache-line alignment, as shared memory has.
const ALIGN: usize = 64;

/// What an `IOSurfaceRef` points to.
#[derive(Debug)]
pub struct Surface {
    references: AtomicUsize,
    locks: AtomicI64,
    base: NonNull<u8>,
    layout: Layout,
}

/// Surfaces that exist now.
pub fn alive() -> usize {
    ALIVE.load(Ordering::SeqCst)
}

/// A surface with one reference; null when the size is 0 or memory runs out.
pub fn create(bytes: usize) -> *mut Surface {
    let Ok(layout) = Layout::from_size_align(bytes, ALIGN) else { return std::ptr::null_mut() };
    if bytes == 0 {
        return std::ptr::null_mut();
    }
    // SAFETY: the layout has a size.
    let Some(base) = NonNull::new(unsafe { alloc_zeroed(layout) }) else { return std::ptr::null_mut() };
    ALIVE.fetch_add(1, Ordering::SeqCst);
    let surface = Surface { references: AtomicUsize::new(1), locks: AtomicI64::new(0), base, layout };
    Box::into_raw(Box::new(surface))
}

/// Adds a reference.
///
/// # Safety
/// `surface` is one of [`create`] with a reference left.
pub unsafe fn retain(surface: *mut Surface) {
    // SAFETY: as the caller promises.
    unsafe { &*surface }.references.fetch_add(1, Ordering::SeqCst);
}

/// Gives a reference back; the last one frees.
///
/// # Safety
/// As for [`retain`], and the caller owns the reference.
pub unsafe fn release(surface: *mut Surface) {
    // SAFETY: as the caller promises.
    if unsafe { &*surface }.references.fetch_sub(1, Ordering::SeqCst) > 1 {
        return;
    }
    // SAFETY: that was the last reference, so nobody else uses the allocation.
    let surface = unsafe { Box::from_raw(surface) };
    // SAFETY: allocated in `create` with this layout.
    unsafe { dealloc(surface.base.as_ptr(), surface.layout) };
    ALIVE.fetch_sub(1, Ordering::SeqCst);
}

impl Surface {
    /// The first byte.
    pub fn base(&self) -> *mut u8 {
        self.base.as_ptr()
    }

    /// How many bytes.
    pub fn bytes(&self) -> usize {
        self.layout.size()
    }

    /// One more lock.
    pub fn lock(&self) {
        self.locks.fetch_add(1, Ordering::SeqCst);
    }

    /// One lock fewer; whether there was one.
    pub fn unlock(&self) -> bool {
        self.locks.fetch_sub(1, Ordering::SeqCst) > 0
    }
}
