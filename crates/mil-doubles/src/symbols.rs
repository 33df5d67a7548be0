//! What the double of Espresso exports, by name, as `dlsym` finds it in the real one.

use std::ffi::c_void;
use std::ptr::NonNull;

/// A function that is exported.
pub(crate) struct Export {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its address.
    pub(crate) address: *const c_void,
}

/// One table for each family of calls, beside its code.
const TABLES: &[fn() -> Vec<Export>] = &[crate::e5rt::exports];

/// The function of that name.
pub fn symbol(name: &str) -> Option<NonNull<c_void>> {
    let found = TABLES.iter().flat_map(|table| table()).find(|e| e.name == name)?;
    NonNull::new(found.address.cast_mut())
}

/// Every name exported.
pub fn exports() -> Vec<&'static str> {
    TABLES.iter().flat_map(|table| table()).map(|e| e.name).collect()
}
