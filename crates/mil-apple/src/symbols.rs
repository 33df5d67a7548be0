//! C functions of a framework, by name.

use crate::error::BridgeError;
use crate::ground::system;
use std::ffi::c_void;
use std::ptr::NonNull;

/// Core ML's C interface lives here. The file is in the loader's shared cache, so only loading it tells whether it is there.
pub const ESPRESSO: &str = "/System/Library/PrivateFrameworks/Espresso.framework/Espresso";

/// A library that is loaded for as long as the process lives.
#[derive(Clone, Copy, Debug)]
pub struct Library {
    path: &'static str,
    #[cfg(target_os = "macos")]
    handle: NonNull<c_void>,
}

// SAFETY: a handle of the loader, which any thread may use; the library is never unloaded.
unsafe impl Send for Library {}
// SAFETY: as above.
unsafe impl Sync for Library {}

#[cfg(target_os = "macos")]
mod loader {
    use std::ffi::{c_char, c_int, c_void};

    /// Now, and for this handle only.
    pub(super) const RTLD_NOW_LOCAL: c_int = 2 | 4;

    unsafe extern "C" {
        pub(super) fn dlopen(path: *const c_char, mode: c_int) -> *mut c_void;
        pub(super) fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
        pub(super) fn dlerror() -> *const c_char;
    }
}

impl Library {
    /// Loads the library at `path`; against the doubles, the double of it.
    #[cfg(target_os = "macos")]
    pub fn open(path: &'static str) -> Result<Library, BridgeError> {
        use std::ffi::{CStr, CString};
        let name = CString::new(path).unwrap_or_default();
        // SAFETY: a system framework by its path; loading runs Apple's initialisers only.
        let handle = NonNull::new(unsafe { loader::dlopen(name.as_ptr(), loader::RTLD_NOW_LOCAL) });
        let Some(handle) = handle else {
            // SAFETY: the loader's own text, or null.
            let why = unsafe {
                let text = loader::dlerror();
                if text.is_null() {
                    String::new()
                } else {
                    CStr::from_ptr(text).to_string_lossy().into_owned()
                }
            };
            return Err(BridgeError::Framework { path: path.to_owned(), why, system: system() });
        };
        Ok(Library { path, handle })
    }

    /// Loads the library at `path`; against the doubles, the double of it.
    #[cfg(not(target_os = "macos"))]
    pub fn open(path: &'static str) -> Result<Library, BridgeError> {
        Ok(Library { path })
    }

    /// The address of a function, as it is spelt or with the underscore that some tools add.
    pub fn symbol(&self, name: &str) -> Result<NonNull<c_void>, BridgeError> {
        self.find(name).or_else(|| self.find(&format!("_{name}"))).ok_or_else(|| self.missing(name))
    }

    /// The error for a function that is not there.
    pub fn missing(&self, name: &str) -> BridgeError {
        BridgeError::MissingSymbol {
            library: self.path.rsplit('/').next().unwrap_or(self.path).to_owned(),
            symbol: name.to_owned(),
            system: system(),
        }
    }

    #[cfg(target_os = "macos")]
    fn find(&self, name: &str) -> Option<NonNull<c_void>> {
        let name = std::ffi::CString::new(name).ok()?;
        // SAFETY: a handle of the loader and a C string.
        NonNull::new(unsafe { loader::dlsym(self.handle.as_ptr(), name.as_ptr()) })
    }

    #[cfg(not(target_os = "macos"))]
    fn find(&self, name: &str) -> Option<NonNull<c_void>> {
        mil_doubles::symbol(name)
    }
}
