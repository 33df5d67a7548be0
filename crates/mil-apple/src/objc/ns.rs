//! The little of Foundation that the bridges need, by name only: a static reference to a class does not link on Linux.
//!
//! Methods whose parameters are `const T *` behind another pointer are avoided: GCC encodes them in a way that objc2's check
//! of encodings cannot read.

use super::Obj;
use objc2::msg_send;
use objc2::runtime::{AnyClass, AnyObject, Bool};
use std::ffi::{CStr, CString, c_char, c_void};
use std::path::Path;

/// A class of Foundation, which is always there: without it there is no Objective-C program.
fn class(name: &CStr) -> &'static AnyClass {
    crate::platform::load();
    match AnyClass::get(name) {
        Some(class) => class,
        None => unreachable!("Foundation has {name:?}"),
    }
}

/// An NSString. A NUL in the text ends it.
pub fn string(text: &str) -> Obj {
    let text = CString::new(text.split('\0').next().unwrap_or_default()).unwrap_or_default();
    // SAFETY: a public method with these types.
    unsafe { msg_send![class(c"NSString"), stringWithUTF8String: text.as_ptr()] }
}

/// The text of an NSString; empty for nil and for anything else.
pub fn to_string(object: Option<&AnyObject>) -> String {
    let Some(object) = object.filter(|o| is_kind_of(o, "NSString")) else { return String::new() };
    // SAFETY: a public method of NSString, which it is; the bytes live as long as the pool.
    let text: *const c_char = unsafe { msg_send![object, UTF8String] };
    if text.is_null() {
        return String::new();
    }
    // SAFETY: a C string of Foundation's.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// Is the object of that class or one below it? No if there is no such class.
pub fn is_kind_of(object: &AnyObject, class_name: &str) -> bool {
    crate::platform::load();
    let class = CString::new(class_name).ok().and_then(|n| AnyClass::get(&n));
    // SAFETY: a public method of every object.
    class.is_some_and(|c| unsafe { msg_send![object, isKindOfClass: c] })
}

/// Does the object answer to the selector?
pub fn responds(object: &AnyObject, selector: objc2::runtime::Sel) -> bool {
    // SAFETY: a public method of every object.
    unsafe { msg_send![object, respondsToSelector: selector] }
}

/// An NSNumber of a signed integer.
pub fn int(value: i64) -> Obj {
    // SAFETY: a public method with these types.
    unsafe { msg_send![class(c"NSNumber"), numberWithLongLong: value] }
}

/// An NSNumber of an unsigned integer.
pub fn uint(value: u64) -> Obj {
    // SAFETY: a public method with these types.
    unsafe { msg_send![class(c"NSNumber"), numberWithUnsignedLongLong: value] }
}

/// An NSNumber of a truth value.
pub fn boolean(value: bool) -> Obj {
    // SAFETY: a public method with these types.
    unsafe { msg_send![class(c"NSNumber"), numberWithBool: Bool::new(value)] }
}

/// The value of an NSNumber; 0 for anything else.
pub fn to_int(object: &AnyObject) -> i64 {
    if !is_kind_of(object, "NSNumber") {
        return 0;
    }
    // SAFETY: a public method of NSNumber, which it is.
    unsafe { msg_send![object, longLongValue] }
}

/// An NSArray.
pub fn array<'a>(items: impl IntoIterator<Item = &'a AnyObject>) -> Obj {
    // SAFETY: public methods with these types.
    unsafe {
        let array: Obj = msg_send![class(c"NSMutableArray"), array];
        for item in items {
            let _: () = msg_send![&*array, addObject: item];
        }
        array
    }
}

/// How many items an NSArray or NSDictionary has.
pub fn count(collection: &AnyObject) -> usize {
    // SAFETY: a public method of both.
    unsafe { msg_send![collection, count] }
}

/// The items of an NSArray; none for anything else.
pub fn items(array: &AnyObject) -> Vec<Obj> {
    if !is_kind_of(array, "NSArray") {
        return Vec::new();
    }
    // SAFETY: a public method of NSArray, which it is, with an index in range.
    (0..count(array)).map(|i| unsafe { msg_send![array, objectAtIndex: i] }).collect()
}

/// An NSDictionary.
pub fn dictionary<'a>(entries: impl IntoIterator<Item = (&'a str, &'a AnyObject)>) -> Obj {
    // SAFETY: public methods with these types.
    unsafe {
        let dictionary: Obj = msg_send![class(c"NSMutableDictionary"), dictionary];
        for (key, value) in entries {
            let _: () = msg_send![&*dictionary, setObject: value, forKey: &*string(key)];
        }
        dictionary
    }
}

/// The value of a key that is a string.
pub fn get(dictionary: &AnyObject, key: &str) -> Option<Obj> {
    if !is_kind_of(dictionary, "NSDictionary") {
        return None;
    }
    // SAFETY: a public method of NSDictionary, which it is.
    unsafe { msg_send![dictionary, objectForKey: &*string(key)] }
}

/// An NSData with a copy of the bytes.
pub fn data(bytes: &[u8]) -> Obj {
    // SAFETY: public methods with these types; the object has as many bytes as it was made with.
    unsafe {
        let data: Obj = msg_send![class(c"NSMutableData"), dataWithLength: bytes.len()];
        let start: *mut c_void = msg_send![&*data, mutableBytes];
        if !start.is_null() {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), start.cast(), bytes.len());
        }
        data
    }
}

/// A file URL.
pub fn file_url(path: &Path) -> Obj {
    let path = string(&path.to_string_lossy());
    // SAFETY: a public method with these types.
    unsafe { msg_send![class(c"NSURL"), fileURLWithPath: &*path] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use objc2::rc::autoreleasepool;

    #[test]
    fn foundation_round_trips() {
        autoreleasepool(|_| {
            assert_eq!(to_string(Some(&string("größer"))), "größer");
            assert_eq!(to_int(&int(-5)), -5);
            assert_eq!(to_int(&uint(7)), 7);
            let (one, two) = (int(1), string("two"));
            let both = array([&*one, &*two]);
            assert_eq!(items(&both).len(), 2);
            let map = dictionary([("a", &*one), ("b", &*both)]);
            assert_eq!(get(&map, "a").map(|o| to_int(&o)), Some(1));
            assert!(get(&map, "c").is_none() && get(&one, "a").is_none());
            assert_eq!(to_string(Some(&one)), "");
            assert!(is_kind_of(&both, "NSArray") && !is_kind_of(&both, "NoSuchClass"));
        });
    }
}
