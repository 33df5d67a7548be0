//! The two ways Cocoa reports failure, as results.

use super::{Obj, ns};
use crate::error::BridgeError;
use objc2::msg_send;
use objc2::runtime::AnyObject;

/// A call that gives YES, or NO and an `NSError`.
pub fn done(call: &'static str, ok: bool, error: Option<Obj>) -> Result<(), BridgeError> {
    match (ok, error) {
        (true, _) => Ok(()),
        (false, Some(error)) => Err(cocoa(call, &error)),
        (false, None) => Err(BridgeError::Null { call }),
    }
}

/// A call that gives an object, or nil and perhaps an `NSError`.
pub fn object(call: &'static str, result: Option<Obj>, error: Option<Obj>) -> Result<Obj, BridgeError> {
    match (result, error) {
        (Some(object), _) => Ok(object),
        (None, Some(error)) => Err(cocoa(call, &error)),
        (None, None) => Err(BridgeError::Null { call }),
    }
}

/// An `NSError` with what lies under it. Apple's compilers hide the true reason one or two levels down.
fn cocoa(call: &'static str, error: &AnyObject) -> BridgeError {
    let (domain, code, mut description) = parts(error);
    let mut below = underlying(error);
    for _ in 0..4 {
        let Some(inner) = below else { break };
        let (domain, code, text) = parts(&inner);
        description.push_str(&format!(" <- {text} ({domain} {code})"));
        below = underlying(&inner);
    }
    BridgeError::Cocoa { call, domain, code, description }
}

fn parts(error: &AnyObject) -> (String, i64, String) {
    // SAFETY: public methods of NSError.
    let (domain, code, text): (Option<Obj>, isize, Option<Obj>) =
        unsafe { (msg_send![error, domain], msg_send![error, code], msg_send![error, localizedDescription]) };
    (ns::to_string(domain.as_deref()), code as i64, ns::to_string(text.as_deref()))
}

fn underlying(error: &AnyObject) -> Option<Obj> {
    // SAFETY: public methods of NSError and NSDictionary.
    unsafe {
        let info: Option<Obj> = msg_send![error, userInfo];
        msg_send![&*info?, objectForKey: &*ns::string("NSUnderlyingError")]
    }
}
