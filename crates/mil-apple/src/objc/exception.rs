//! Objective-C exceptions as errors.

use super::{Obj, ns};
use crate::error::BridgeError;
use objc2::msg_send;
use objc2::rc::Retained;
use objc2::runtime::AnyObject;
use std::ffi::c_void;

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
}

/// Calls `f`; an exception thrown in it is an error that names `call`.
///
/// Nothing in between may catch unwinding: Rust aborts when an exception of Objective-C reaches a `catch_unwind`. A panic of `f`
/// passes the Objective-C frame, which catches objects only.
pub fn guarded<R>(call: &'static str, f: impl FnOnce() -> R) -> Result<R, BridgeError> {
    extern "C-unwind" fn run<F: FnOnce() -> R, R>(context: *mut c_void) {
        // SAFETY: `context` is the slot below, which outlives the call and is used by nobody else meanwhile.
        let slot = unsafe { &mut *context.cast::<Slot<F, R>>() };
        if let Slot::Before(f) = std::mem::replace(slot, Slot::Running) {
            *slot = Slot::Done(f());
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
        // SAFETY: the catcher retained what it caught and gives the reference to us.
        _ => Err(described(call, unsafe { Retained::from_raw(thrown) })),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_is_an_error_and_a_panic_stays_one() {
        let thrown = objc2::rc::autoreleasepool(|_| {
            let array = ns::array([]);
            let at = usize::MAX;
            // SAFETY: a public method; the index is out of range, at which it throws.
            let get = || -> Option<Obj> { unsafe { msg_send![&*array, objectAtIndex: at] } };
            guarded("-[NSArray objectAtIndex:]", get).unwrap_err()
        });
        assert!(
            matches!(&thrown, BridgeError::Exception { name, .. } if name == "NSRangeException"),
            "{thrown}"
        );
        let panic = std::panic::catch_unwind(|| guarded("none", || -> () { panic!("mine") })).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"mine"));
    }
}
