//! Objective-C exceptions as errors.

use super::{Obj, ns};
use crate::error::BridgeError;
use objc2::msg_send;
use objc2::rc::Retained;
use objc2::runtime::AnyObject;
use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

unsafe extern "C-unwind" {
    fn mil_apple_try_catch(
        f: extern "C-unwind" fn(*mut c_void),
        context: *mut c_void,
        thrown: *mut *mut AnyObject,
    ) -> u8;
}

enum Slot<F, R> {
    Before(F),
    Running,
    Done(R),
    Panicked(Box<dyn Any + Send>),
}

/// Calls `f`; an exception thrown in it is an error that names `call`.
pub fn guarded<R>(call: &'static str, f: impl FnOnce() -> R) -> Result<R, BridgeError> {
    extern "C-unwind" fn run<F: FnOnce() -> R, R>(context: *mut c_void) {
        // SAFETY: `context` is the slot below, which outlives the call and is used by nobody else meanwhile.
        let slot = unsafe { &mut *context.cast::<Slot<F, R>>() };
        if let Slot::Before(f) = std::mem::replace(slot, Slot::Running) {
            // A Rust panic does not pass through the Objective-C frame; it goes on behind it.
            *slot = match catch_unwind(AssertUnwindSafe(f)) {
                Ok(result) => Slot::Done(result),
                Err(panic) => Slot::Panicked(panic),
            };
        }
    }
    fn function<F: FnOnce() -> R, R>(_: &Slot<F, R>) -> extern "C-unwind" fn(*mut c_void) {
        run::<F, R>
    }
    let mut slot = Slot::Before(f);
    let entry = function(&slot);
    let mut thrown: *mut AnyObject = std::ptr::null_mut();
    // SAFETY: `entry` takes exactly this slot, and both pointers are valid during the call.
    let caught = unsafe { mil_apple_try_catch(entry, (&raw mut slot).cast(), &raw mut thrown) };
    match slot {
        Slot::Done(result) if caught == 0 => Ok(result),
        Slot::Panicked(panic) => resume_unwind(panic),
        _ => {
            // SAFETY: the catcher retained what it caught and gives the reference to us.
            Err(described(call, unsafe { Retained::from_raw(thrown) }))
        }
    }
}

fn described(call: &'static str, thrown: Option<Obj>) -> BridgeError {
    let unnamed = || BridgeError::Exception { call, name: "an object".into(), reason: "unknown".into() };
    let Some(thrown) = thrown else { return unnamed() };
    if !ns::is_kind_of(&thrown, "NSException") {
        return unnamed();
    }
    // SAFETY: public methods of NSException, which it is.
    let (name, reason): (Option<Obj>, Option<Obj>) =
        unsafe { (msg_send![&*thrown, name], msg_send![&*thrown, reason]) };
    BridgeError::Exception {
        call,
        name: ns::to_string(name.as_deref()),
        reason: ns::to_string(reason.as_deref()),
    }
}
