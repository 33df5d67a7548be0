//! Fields of objects whose class is private: an instance variable, or the property over it.

use super::{AnyObject, Obj, Retained, guarded};
use objc2::msg_send;
use objc2::runtime::Sel;
use std::ffi::CString;

/// The object in the instance variable `_name`, or that the method `_name` or `name` gives; nothing if there is neither, or
/// it is nil or no object, or asking throws.
pub fn field(object: &AnyObject, name: &str) -> Option<Obj> {
    let bare = name.trim_start_matches('_');
    variable(object, &format!("_{bare}"))
        .or_else(|| property(object, &format!("_{bare}")))
        .or_else(|| property(object, bare))
}

fn variable(object: &AnyObject, name: &str) -> Option<Obj> {
    let variable = object.class().instance_variable(&CString::new(name).ok()?)?;
    if variable.type_encoding().to_bytes().first() != Some(&b'@') {
        return None;
    }
    // SAFETY: the object's class says that an object pointer is at this offset in it.
    unsafe {
        let place = std::ptr::from_ref(object).byte_offset(variable.offset()).cast::<*mut AnyObject>();
        Retained::retain(place.read())
    }
}

fn property(object: &AnyObject, name: &str) -> Option<Obj> {
    let selector = Sel::register(&CString::new(name).ok()?);
    let method = object.class().instance_method(selector)?;
    if super::probe::normal(&super::probe::encoding(method)) != "@@:" {
        return None;
    }
    let asked = guarded("a property", || {
        // SAFETY: the method takes nothing and gives an object, as was just checked.
        let value: Option<Obj> = unsafe { msg_send![object, performSelector: selector] };
        value
    });
    asked.ok().flatten()
}
