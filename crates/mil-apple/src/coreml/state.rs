//! `MLState` (macOS 15): what stays between predictions. Its arrays are lent to a block.

use super::array;
use super::ports::Port;
use crate::error::BridgeError;
use crate::objc::{AnyObject, Obj, Shared, guarded, ns, probe};
use crate::tell;
use block2::RcBlock;
use mil_base::Tensor;
use objc2::runtime::{Imp, Sel};
use std::cell::RefCell;
use std::ffi::c_void;
use std::rc::Rc;

const LEND: &str = "-[MLState getMultiArrayForStateNamed:handler:]";

/// A fresh state of a model, all zeros.
pub fn of_model(model: &AnyObject) -> Result<Shared, BridgeError> {
    let call = "-[MLModel newState]";
    let state = tell!(call, "@@:", [model, newState] -> Option<Obj>)?;
    // A session has one state, and uses it from one thread at a time.
    state.map(Shared).ok_or(BridgeError::Null { call })
}

/// The values of a state.
pub fn read(state: &AnyObject, port: &Port) -> Result<Tensor, BridgeError> {
    let (dtype, rank) = (port.dtype, port.rank);
    lent(state, &port.name, move |array| array::read(array, dtype, rank))
}

/// Sets the values of a state.
pub fn write(state: &AnyObject, port: &Port, value: &Tensor) -> Result<(), BridgeError> {
    let value = value.clone();
    lent(state, &port.name, move |array| array::write(array, &value))
}

/// Calls `f` with the array of a state, which the framework lends for the duration of the call.
fn lent<R: 'static>(
    state: &AnyObject,
    name: &str,
    f: impl Fn(&AnyObject) -> Result<R, BridgeError> + 'static,
) -> Result<R, BridgeError> {
    let lend = probe::implementation(state, LEND, "v@:@@?")?;
    let result = Rc::new(RefCell::new(None));
    let to = result.clone();
    let block = RcBlock::new(move |array: *mut AnyObject| {
        // SAFETY: null, or an array that the framework lends us during this call.
        if let Some(array) = unsafe { array.as_ref() } {
            *to.borrow_mut() = Some(f(array));
        }
    });
    let name = ns::string(name);
    guarded(LEND, || {
        // SAFETY: the address of the method, which has these types, as was just probed. A block is an object.
        unsafe {
            type Lend = unsafe extern "C-unwind" fn(*const AnyObject, Sel, *const AnyObject, *const c_void);
            let lend = std::mem::transmute::<Imp, Lend>(lend);
            lend(
                state,
                objc2::sel!(getMultiArrayForStateNamed:handler:),
                &raw const *name,
                (&raw const *block).cast(),
            );
        }
    })?;
    drop(block);
    result.take().unwrap_or(Err(BridgeError::Null { call: LEND }))
}
