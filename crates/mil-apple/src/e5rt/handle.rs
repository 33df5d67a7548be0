//! A handle that is released once.

use super::api::{Raw, Release};
use crate::error::BridgeError;
use std::ffi::CString;
use std::ptr;

/// An object of the library's with a reference of ours.
#[derive(Debug)]
pub(super) struct Handle {
    raw: Raw,
    release: Release,
}

// SAFETY: the library's objects are not bound to a thread (its own clients use them from queues); calls on one object are
// kept apart by `&mut` or a lock wherever one is shared.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

impl Handle {
    /// The object that `create` writes to its out-pointer.
    ///
    /// A call that reports success and writes nothing is an error: what is done with a handle of 0 does nothing and
    /// reports success too.
    pub(super) fn new(
        call: &'static str,
        release: Release,
        create: impl FnOnce(*mut Raw) -> Result<(), BridgeError>,
    ) -> Result<Handle, BridgeError> {
        let mut raw = ptr::null_mut();
        create(&raw mut raw)?;
        match raw.is_null() {
            true => Err(BridgeError::Null { call }),
            false => Ok(Handle { raw, release }),
        }
    }

    pub(super) fn raw(&self) -> Raw {
        self.raw
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: a live handle of that kind, and the reference is ours. Nothing can be done about a status.
        unsafe { (self.release)(&raw mut self.raw) };
    }
}

/// A text for a call.
///
/// Errors: a NUL in it.
pub(super) fn c_string(text: &str) -> Result<CString, BridgeError> {
    CString::new(text).map_err(|_| {
        let shown = text.replace('\0', "\\0");
        BridgeError::refused(
            crate::codes::UNSUPPORTED,
            format!("the name `{shown}` cannot be passed to the C interface"),
            "rename it",
        )
    })
}
