//! The doubles.

use super::{IoSurface, Surfaces};
use mil_doubles::surface as double;

/// Makes the doubles' classes known.
pub fn load() {
    mil_doubles::link();
}

/// Has a test hidden that class or method?
pub(crate) fn is_hidden(name: &str) -> bool {
    mil_doubles::absent::is_hidden(name)
}

/// What stands for the system's version.
pub fn os_version() -> String {
    "double".to_owned()
}

/// What stands for a Metal shared event: any object that can be retained.
pub fn shared_event() -> Result<crate::objc::Obj, crate::BridgeError> {
    Ok(crate::objc::ns::string("double of a shared event"))
}

pub(super) struct Here;

/// # Safety
/// `surface` is alive.
unsafe fn alive<'a>(surface: *mut IoSurface) -> &'a double::Surface {
    // SAFETY: as the caller promises; every surface here is one of the double's.
    unsafe { &*surface.cast::<double::Surface>() }
}

impl Surfaces for Here {
    fn create(bytes: usize) -> *mut IoSurface {
        double::create(bytes).cast()
    }

    unsafe fn release(surface: *mut IoSurface) {
        // SAFETY: as the caller promises.
        unsafe { double::release(surface.cast()) }
    }

    unsafe fn base(surface: *mut IoSurface) -> *mut u8 {
        // SAFETY: as the caller promises.
        unsafe { alive(surface) }.base()
    }

    unsafe fn bytes(surface: *mut IoSurface) -> usize {
        // SAFETY: as the caller promises.
        unsafe { alive(surface) }.bytes()
    }

    unsafe fn lock(surface: *mut IoSurface) -> bool {
        // SAFETY: as the caller promises.
        unsafe { alive(surface) }.lock();
        true
    }

    unsafe fn unlock(surface: *mut IoSurface) -> bool {
        // SAFETY: as the caller promises.
        unsafe { alive(surface) }.unlock()
    }
}
