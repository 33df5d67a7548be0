//! A piece of memory shared with the engine.

use super::{Surfaces, here::Here};
use crate::error::BridgeError;
use crate::poison;
use objc2::encode::{Encoding, RefEncode};
use std::ptr::NonNull;

/// What an `IOSurfaceRef` points to.
#[repr(C)]
pub struct IoSurface {
    _private: [u8; 0],
}

// SAFETY: the pointer's encoding in Apple's headers.
unsafe impl RefEncode for IoSurface {
    const ENCODING_REF: Encoding = Encoding::Pointer(&Encoding::Struct("__IOSurface", &[]));
}

/// A surface with a reference of our own.
#[derive(Debug)]
pub struct Surface {
    raw: NonNull<IoSurface>,
    bytes: usize,
}

// SAFETY: IOSurface may be used from any thread; its memory is only touched through `&mut self` or under a lock.
unsafe impl Send for Surface {}
// SAFETY: as above; reading needs the lock, which counts.
unsafe impl Sync for Surface {}

impl Surface {
    /// A zeroed surface of `bytes` bytes, at least one.
    pub fn new(bytes: usize) -> Result<Surface, BridgeError> {
        let bytes = bytes.max(1);
        let raw = NonNull::new(Here::create(bytes)).ok_or(BridgeError::Null { call: "IOSurfaceCreate" })?;
        let surface = Surface { raw, bytes };
        // SAFETY: alive.
        if unsafe { Here::bytes(surface.raw.as_ptr()) } < bytes {
            return Err(BridgeError::Null { call: "IOSurfaceGetAllocSize" });
        }
        Ok(surface)
    }

    /// The `IOSurfaceRef`, for a call.
    pub fn as_ptr(&self) -> *mut IoSurface {
        self.raw.as_ptr()
    }

    /// Its size in bytes, as asked for.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Works on the memory under a lock.
    pub fn with<R>(&mut self, f: impl FnOnce(&mut [u8]) -> R) -> Result<R, BridgeError> {
        // SAFETY: alive.
        if !unsafe { Here::lock(self.raw.as_ptr()) } {
            return Err(BridgeError::Null { call: "IOSurfaceLock" });
        }
        // SAFETY: alive.
        let base = unsafe { Here::base(self.raw.as_ptr()) };
        let result = match base.is_null() {
            true => Err(BridgeError::Null { call: "IOSurfaceGetBaseAddress" }),
            // SAFETY: the allocation has at least `bytes` bytes, and the lock and `&mut self` make the use exclusive.
            false => Ok(f(unsafe { std::slice::from_raw_parts_mut(base, self.bytes) })),
        };
        // SAFETY: locked above.
        if !unsafe { Here::unlock(self.raw.as_ptr()) } {
            return Err(BridgeError::Null { call: "IOSurfaceUnlock" });
        }
        result
    }

    /// Copies bytes to its start. They must not be longer than the surface.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), BridgeError> {
        self.with(|memory| {
            let n = bytes.len().min(memory.len());
            memory[..n].copy_from_slice(&bytes[..n]);
        })
    }

    /// Fills it with the pattern that tells whether something was written.
    pub fn poison(&mut self) -> Result<(), BridgeError> {
        self.with(poison::fill)
    }

    /// The first `n` bytes, unless all of them still hold the pattern.
    pub fn read(&mut self, n: usize, output: &str, call: &'static str) -> Result<Vec<u8>, BridgeError> {
        let bytes = self.with(|memory| memory[..n.min(memory.len())].to_vec())?;
        if poison::untouched(&bytes) {
            return Err(BridgeError::Untouched { output: output.to_owned(), call });
        }
        Ok(bytes)
    }
}

impl Drop for Surface {
    fn drop(&mut self) {
        // SAFETY: from `create`, and the reference is ours.
        unsafe { Here::release(self.raw.as_ptr()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poisoned_surface_is_not_believed() {
        let mut s = Surface::new(64).unwrap();
        s.poison().unwrap();
        let error = s.read(64, "y", "evaluate").unwrap_err();
        assert!(matches!(error, BridgeError::Untouched { .. }), "{error}");
        s.write(&[0, 0]).unwrap();
        assert_eq!(s.read(2, "y", "evaluate").unwrap(), [0, 0]);
        assert_eq!(Surface::new(0).unwrap().bytes(), 1);
    }
}
