//! Methods that throw because a test wants them to.

use std::ffi::{CString, c_char, c_void};
use std::ptr::NonNull;

unsafe extern "C" {
    fn double_throw_from(kind: c_char, class: *const c_char, selector: *const c_char) -> *mut c_void;
    fn double_mend(kind: c_char, class: *const c_char, selector: *const c_char, was: *mut c_void);
}

/// A method that throws a `DoubleException` until this is dropped.
#[must_use = "the method is mended when this is dropped"]
#[derive(Debug)]
pub struct Throwing {
    kind: c_char,
    class: CString,
    selector: CString,
    was: NonNull<c_void>,
}

// SAFETY: the address of a function, which every thread may hold.
unsafe impl Send for Throwing {}

/// Makes a method throw, for the whole process: `-[_ANEClient echo:]`. Nothing if there is no such method.
pub fn throw_from(method: &str) -> Option<Throwing> {
    crate::link();
    let kind = *method.as_bytes().first().filter(|k| matches!(k, b'+' | b'-'))?;
    let (class, selector) = method.get(1..)?.strip_prefix('[')?.strip_suffix(']')?.split_once(' ')?;
    let (class, selector) = (CString::new(class).ok()?, CString::new(selector).ok()?);
    let kind = c_char::try_from(kind).ok()?;
    // SAFETY: C strings that live through the call.
    let was = NonNull::new(unsafe { double_throw_from(kind, class.as_ptr(), selector.as_ptr()) })?;
    Some(Throwing { kind, class, selector, was })
}

impl Drop for Throwing {
    fn drop(&mut self) {
        // SAFETY: the method was there, and `was` is what it had.
        unsafe { double_mend(self.kind, self.class.as_ptr(), self.selector.as_ptr(), self.was.as_ptr()) }
    }
}
