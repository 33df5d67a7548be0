//! How a call answers: a status, and a text for the thread that failed.

use super::handle::Fault;
use crate::symbols::Export;
use crate::{behaviour, notes};
use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::{Mutex, PoisonError};

/// Declares calls: each a C function that answers with a status, noted, and able to fail on request; and their table.
macro_rules! calls {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $body:block)*) => {
        $(
            $(#[$doc])*
            #[unsafe(no_mangle)]
            pub(crate) unsafe extern "C-unwind" fn $name($($arg: $ty),*) -> std::ffi::c_int {
                $crate::e5rt::call::answer(stringify!($name), || $body)
            }
        )*

        pub(crate) fn exports() -> Vec<$crate::symbols::Export> {
            vec![$($crate::symbols::Export {
                name: stringify!($name),
                address: $name as *const () as *const std::ffi::c_void,
            }),*]
        }
    };
}
pub(crate) use calls;

thread_local! {
    static LAST: RefCell<CString> = RefCell::default();
}

static FAILING: Mutex<Option<(String, usize)>> = Mutex::new(None);

fn failing() -> std::sync::MutexGuard<'static, Option<(String, usize)>> {
    FAILING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A call that is about to fail, unless this is dropped before.
#[must_use = "the call is mended when this is dropped"]
#[derive(Debug)]
pub struct Failing(());

/// Lets the call `name` fail once, for the whole process: at its next use after `skip` others.
pub fn fail(name: &str, skip: usize) -> Failing {
    *failing() = Some((name.to_owned(), skip));
    Failing(())
}

impl Drop for Failing {
    fn drop(&mut self) {
        *failing() = None;
    }
}

fn told_to_fail(name: &str) -> bool {
    let mut told = failing();
    match told.as_mut() {
        Some((failing, 0)) if failing == name => {
            *told = None;
            true
        }
        Some((failing, skip)) if failing == name => {
            *skip -= 1;
            false
        }
        _ => false,
    }
}

pub(super) fn answer(name: &'static str, body: impl FnOnce() -> Result<(), Fault>) -> c_int {
    notes::add(name);
    let result = match told_to_fail(name) {
        true => Err(Fault::operation("double: this call was told to fail")),
        false => body(),
    };
    let Err(fault) = result else { return 0 };
    LAST.with_borrow_mut(|last| *last = CString::new(fault.text.replace('\0', " ")).unwrap_or_default());
    fault.status
}

#[unsafe(no_mangle)]
extern "C-unwind" fn e5rt_get_last_error_message() -> *const c_char {
    if !behaviour::is_on("e5rt/last-error-text") {
        return c"".as_ptr();
    }
    LAST.with_borrow(|last| last.as_ptr())
}

const TEXTS: [&CStr; 7] = [
    c"double: OK",
    c"double: invalid argument",
    c"double: invalid operation",
    c"double: allocation failure",
    c"double: out of bounds",
    c"double: invalid type parameter",
    c"double: invalid data type",
];

#[unsafe(no_mangle)]
extern "C-unwind" fn e5rt_error_code_get_string(code: c_int) -> *const c_char {
    if !behaviour::is_on("e5rt/status-text-is-c") {
        return std::ptr::null();
    }
    let text = usize::try_from(code).ok().and_then(|code| TEXTS.get(code));
    text.map_or(c"double: unknown".as_ptr(), |text| text.as_ptr())
}

pub(super) fn exports() -> Vec<Export> {
    vec![
        Export {
            name: "e5rt_get_last_error_message",
            address: e5rt_get_last_error_message as *const () as *const c_void,
        },
        Export {
            name: "e5rt_error_code_get_string",
            address: e5rt_error_code_get_string as *const () as *const c_void,
        },
    ]
}
