//! Doubles of Apple's frameworks, for Linux: Objective-C classes under the real names and selectors (`objc/`, compiled
//! for GNUstep), and the `e5rt_*` calls in C's binary interface. What they compute, our own `cpu` runtime computes; how they
//! behave (what validates, what fails with which code, what does nothing) is what the fact base says, one switch for each
//! behaviour ([`behaviour`]).
//!
//! They show that our bridges do what we believe Apple's frameworks expect, and nothing about hardware. Everything they print
//! says "double".
//!
//! **What it must never know:** the bridges in `mil-apple`. A double that shared code with them would share their mistakes.
//!
//! **Where to start reading:** [`behaviour`] for what is modelled, `abi.rs` and `objc/double.h` for what the Objective-C side
//! asks of this one.

mod abi;
mod abi_ops;
pub mod absent;
mod alive;
pub mod ane;
pub mod behaviour;
mod behaviours;
pub mod e5rt;
pub mod notes;
pub mod program;
pub mod surface;
mod symbols;
#[cfg(all(feature = "gnustep", not(target_vendor = "apple")))]
mod throwing;

pub use alive::objects_alive;
pub use behaviour::{Behaviour, Broken};
pub use symbols::{exports, symbol};
#[cfg(all(feature = "gnustep", not(target_vendor = "apple")))]
pub use throwing::{Throwing, throw_from};

#[cfg(all(feature = "gnustep", not(target_vendor = "apple")))]
unsafe extern "C" {
    fn mil_doubles_anchor() -> *const std::ffi::c_char;
}

/// Keeps the Objective-C classes linked; to be called once before any is looked up by name.
#[cfg(all(feature = "gnustep", not(target_vendor = "apple")))]
pub fn link() {
    // SAFETY: a function of `gnustep/arc.c` that gives the address of a symbol.
    let anchor = unsafe { mil_doubles_anchor() };
    std::hint::black_box(anchor);
}
