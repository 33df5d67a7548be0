//! What differs between a Mac and the doubles: loading frameworks, and shared memory.

#[cfg(target_os = "macos")]
mod darwin;
#[cfg(not(target_os = "macos"))]
mod double;
mod surface;

#[cfg(target_os = "macos")]
use darwin as here;
#[cfg(not(target_os = "macos"))]
use double as here;

pub(crate) use here::is_hidden;
pub use here::{load, os_version, shared_event};
pub use surface::{IoSurface, Surface};

/// IOSurface: memory that the engine reads and writes without a copy. One implementation calls the framework, the other
/// records into a double.
pub(crate) trait Surfaces {
    /// A zeroed surface of that many bytes with one reference; null if there is none to be had.
    ///
    /// Its properties are those every known user of the engine sets (`facts/ane-facts.md` 1.1): width and row are the
    /// bytes, height and element are 1, no pixel format.
    fn create(bytes: usize) -> *mut IoSurface;
    /// Gives a reference back.
    ///
    /// # Safety
    /// `surface` is from `create`, and the caller owns the reference.
    unsafe fn release(surface: *mut IoSurface);
    /// The first byte.
    ///
    /// # Safety
    /// `surface` is alive.
    unsafe fn base(surface: *mut IoSurface) -> *mut u8;
    /// Bytes allocated, at least those asked for.
    ///
    /// # Safety
    /// `surface` is alive.
    unsafe fn bytes(surface: *mut IoSurface) -> usize;
    /// Keeps the engine away while the CPU uses the memory. False when that failed.
    ///
    /// # Safety
    /// `surface` is alive.
    unsafe fn lock(surface: *mut IoSurface) -> bool;
    /// The end of that.
    ///
    /// # Safety
    /// `surface` is alive and locked.
    unsafe fn unlock(surface: *mut IoSurface) -> bool;
}
