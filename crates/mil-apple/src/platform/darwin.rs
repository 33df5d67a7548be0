//! A Mac.

use super::{IoSurface, Surfaces};
use crate::objc::ns;
use objc2::msg_send;
use objc2::runtime::{AnyClass, AnyObject};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Once;

unsafe extern "C" {
    fn dlopen(path: *const c_char, mode: c_int) -> *mut c_void;
}

/// Now, and visible to this library's lookups only.
const RTLD_NOW: c_int = 2;

/// Where the classes are. The files live in the loader's shared cache, so whether one is there is known by loading it; a
/// class that is missing afterwards is reported when it is asked for.
const FRAMEWORKS: [&CStr; 4] = [
    c"/System/Library/Frameworks/Foundation.framework/Foundation",
    c"/System/Library/Frameworks/CoreML.framework/CoreML",
    c"/System/Library/Frameworks/Metal.framework/Metal",
    c"/System/Library/PrivateFrameworks/AppleNeuralEngine.framework/AppleNeuralEngine",
];

/// Loads the frameworks, once.
pub fn load() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for path in FRAMEWORKS {
            // SAFETY: a system framework by its path; loading runs Apple's initialisers only.
            unsafe { dlopen(path.as_ptr(), RTLD_NOW) };
        }
    });
}

/// Nothing is hidden on a Mac.
pub(crate) fn is_hidden(_name: &str) -> bool {
    false
}

/// The system's version, `15.5`.
pub fn os_version() -> String {
    load();
    objc2::rc::autoreleasepool(|_| {
        let Some(class) = AnyClass::get(c"NSProcessInfo") else { return String::new() };
        // SAFETY: public methods with these types.
        let text: Option<crate::objc::Obj> = unsafe {
            let info: Option<crate::objc::Obj> = msg_send![class, processInfo];
            let Some(info) = info else { return String::new() };
            msg_send![&*info, operatingSystemVersionString]
        };
        ns::to_string(text.as_deref()).trim_start_matches("Version ").to_owned()
    })
}

#[link(name = "IOSurface", kind = "framework")]
unsafe extern "C" {
    fn IOSurfaceCreate(properties: *const AnyObject) -> *mut IoSurface;
    fn IOSurfaceGetBaseAddress(surface: *mut IoSurface) -> *mut c_void;
    fn IOSurfaceGetAllocSize(surface: *mut IoSurface) -> usize;
    fn IOSurfaceLock(surface: *mut IoSurface, options: u32, seed: *mut u32) -> c_int;
    fn IOSurfaceUnlock(surface: *mut IoSurface, options: u32, seed: *mut u32) -> c_int;
}

#[link(name = "CoreFoundation", kind = "framework")]
unsafe extern "C" {
    fn CFRelease(object: *const c_void);
}

#[link(name = "Metal", kind = "framework")]
unsafe extern "C" {
    fn MTLCreateSystemDefaultDevice() -> *mut AnyObject;
}

/// A Metal shared event of the system's first graphics device.
pub fn shared_event() -> Result<crate::objc::Obj, crate::BridgeError> {
    // SAFETY: a function without arguments that gives a reference to us, or null.
    let device = unsafe { crate::objc::Retained::from_raw(MTLCreateSystemDefaultDevice()) };
    let device = device.ok_or(crate::BridgeError::Null { call: "MTLCreateSystemDefaultDevice" })?;
    // SAFETY: a public method of every device.
    let event: Option<crate::objc::Obj> = unsafe { msg_send![&*device, newSharedEvent] };
    event.ok_or(crate::BridgeError::Null { call: "-[MTLDevice newSharedEvent]" })
}

pub(super) struct Here;

impl Surfaces for Here {
    fn create(bytes: usize) -> *mut IoSurface {
        objc2::rc::autoreleasepool(|_| {
            let (size, one, none) = (ns::uint(bytes as u64), ns::uint(1), ns::uint(0));
            let properties = ns::dictionary([
                ("IOSurfaceWidth", &*size),
                ("IOSurfaceHeight", &*one),
                ("IOSurfaceBytesPerElement", &*one),
                ("IOSurfaceBytesPerRow", &*size),
                ("IOSurfaceAllocSize", &*size),
                ("IOSurfacePixelFormat", &*none),
            ]);
            // SAFETY: a dictionary is what it takes; NSDictionary and CFDictionary are the same objects.
            unsafe { IOSurfaceCreate(&raw const *properties) }
        })
    }

    unsafe fn release(surface: *mut IoSurface) {
        // SAFETY: as the caller promises.
        unsafe { CFRelease(surface.cast()) }
    }

    unsafe fn base(surface: *mut IoSurface) -> *mut u8 {
        // SAFETY: as the caller promises.
        unsafe { IOSurfaceGetBaseAddress(surface) }.cast()
    }

    unsafe fn bytes(surface: *mut IoSurface) -> usize {
        // SAFETY: as the caller promises.
        unsafe { IOSurfaceGetAllocSize(surface) }
    }

    unsafe fn lock(surface: *mut IoSurface) -> bool {
        // SAFETY: as the caller promises; no seed is asked for.
        unsafe { IOSurfaceLock(surface, 0, std::ptr::null_mut()) == 0 }
    }

    unsafe fn unlock(surface: *mut IoSurface) -> bool {
        // SAFETY: as the caller promises; no seed is asked for.
        unsafe { IOSurfaceUnlock(surface, 0, std::ptr::null_mut()) == 0 }
    }
}

/// `.ci/darwin-check` asks for these mistakes, to see that this file is read at all.
#[cfg(negative_control = "name")]
fn negative_control() {
    nothing_has_this_name();
}

/// As above, for the linter.
#[cfg(negative_control = "lint")]
pub fn negative_control(x: i32) -> bool {
    x == x
}
