//! Sending messages to classes that may not be there.
//!
//! `send!` is the only way a message is sent to a private class: it checks once that the class has the method with the types
//! we know ([`probe`]), and turns an exception into an error ([`exception`]). [`ns`] is the little of Foundation that we need.

pub mod exception;
pub mod field;
pub mod ns;
pub mod outcome;
pub mod probe;

pub use exception::guarded;
pub use objc2::rc::{Allocated, Retained, autoreleasepool};
pub use objc2::runtime::{AnyClass, AnyObject};
pub use outcome::{done, object};

/// An object with a reference of our own.
pub type Obj = Retained<AnyObject>;

/// An object that threads share.
///
/// Whoever makes one states, where it is made, why that object may be used from several threads: Apple documents it, or
/// a lock of ours keeps calls apart.
#[derive(Clone, Debug)]
pub struct Shared(pub Obj);

// SAFETY: retain and release are atomic; that other calls are sound is for the maker to see to, as said above.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl std::ops::Deref for Shared {
    type Target = AnyObject;

    fn deref(&self) -> &AnyObject {
        &self.0
    }
}

/// Sends a message to a class that may not be there, or not as we know it.
///
/// `send!("-[Class selector:]", "types", [object, selector: argument] -> Return)`: the method in Apple's notation, which is also
/// its name in errors; its types as the runtime encodes them, return first (`"B@:I@^@"`); then as in `objc2::msg_send!`.
/// Gives `Result<Return, BridgeError>`.
#[macro_export]
macro_rules! send {
    ($call:literal, $types:literal, [$($message:tt)+] -> $return:ty) => {
        $crate::objc::probe::require($call, $types).and_then(|()| {
            $crate::objc::guarded($call, || {
                // SAFETY: the method exists with these types, which was just probed; arguments are objects or plain values.
                let result: $return = unsafe { ::objc2::msg_send![$($message)+] };
                result
            })
        })
    };
}

/// Sends a message to an object whose class the framework chooses: the method is probed in the class that the object has.
///
/// `tell!(call, "types", [object, selector: argument] -> Return)`, as `send!`; `call` may be any `&'static str` in Apple's
/// notation, with the public class or protocol.
#[macro_export]
macro_rules! tell {
    ($call:expr, $types:literal, [$object:expr, $($message:tt)+] -> $return:ty) => {{
        let object: &$crate::objc::AnyObject = $object;
        $crate::objc::probe::require_of(object, $call, $types).and_then(|()| {
            $crate::objc::guarded($call, || {
                // SAFETY: the method exists with these types, which was just probed; arguments are objects or plain values.
                let result: $return = unsafe { ::objc2::msg_send![object, $($message)+] };
                result
            })
        })
    }};
}

/// Memory for an object of a class, to be initialised by the next message.
pub fn alloc(class: &str) -> Result<Allocated<AnyObject>, crate::BridgeError> {
    let class = probe::class(class)?;
    // SAFETY: a public method of every class.
    Ok(unsafe { objc2::msg_send![class, alloc] })
}

/// `[[Class alloc] init]`.
pub fn make(class: &str) -> Result<Obj, crate::BridgeError> {
    let memory = alloc(class)?;
    guarded("-[NSObject init]", || {
        // SAFETY: a public method of every object.
        unsafe { objc2::msg_send![memory, init] }
    })
}

/// What a call wrote to an `NSError **`: an error that the pool owns, or nothing.
#[derive(Debug)]
pub struct Raised(pub *mut AnyObject);

impl Raised {
    /// Nothing yet.
    pub fn none() -> Raised {
        Raised(std::ptr::null_mut())
    }

    /// The error, kept.
    pub fn take(&self) -> Option<Obj> {
        // SAFETY: null, or an autoreleased object of the call that was just made.
        unsafe { Retained::retain(self.0) }
    }
}
