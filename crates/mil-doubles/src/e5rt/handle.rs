//! Handles: numbers that stand for shared objects.

use crate::behaviour;
use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

/// What the calls pass for an object.
pub(super) type Handle = *mut c_void;

/// Why a call failed.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) status: c_int,
    pub(super) text: String,
}

/// The statuses 1 to 6 (section 4, conventions). Which of them a given mistake has is documented for few; the rest is our
/// guess, and no caller should tell them apart.
impl Fault {
    pub(super) fn argument(text: impl Into<String>) -> Fault {
        Fault { status: 1, text: text.into() }
    }

    pub(super) fn operation(text: impl Into<String>) -> Fault {
        Fault { status: 2, text: text.into() }
    }

    pub(super) fn allocation(text: impl Into<String>) -> Fault {
        Fault { status: 3, text: text.into() }
    }

    pub(super) fn bounds(text: impl Into<String>) -> Fault {
        Fault { status: 4, text: text.into() }
    }

    pub(super) fn type_parameter(text: impl Into<String>) -> Fault {
        Fault { status: 5, text: text.into() }
    }
}

/// Something a handle can stand for.
pub(super) trait Object: Any + Send + Sync {
    /// What it is, in a word.
    const KIND: &'static str;
}

type Objects = HashMap<usize, (&'static str, Arc<dyn Any + Send + Sync>)>;
static OBJECTS: LazyLock<Mutex<Objects>> = LazyLock::new(Mutex::default);
/// Not an address that anything could be at.
const FIRST: usize = 0x0E57_0000_0000_0000;
static NEXT: AtomicUsize = AtomicUsize::new(FIRST);

fn objects() -> MutexGuard<'static, Objects> {
    OBJECTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Handles that were given out and not released, by kind.
pub fn live() -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    objects().values().for_each(|(kind, _)| *counts.entry(*kind).or_default() += 1);
    counts
}

/// Gives up every handle that was not released, so that a test can go on behind a leak.
pub fn forget_all() {
    // Objects hold others, and dropping one may ask for the table.
    let all = std::mem::take(&mut *objects());
    drop(all);
}

pub(super) fn is_handle(pointer: *const c_void) -> bool {
    objects().contains_key(&(pointer as usize))
}

/// A handle for `object`, written to `out`.
///
/// # Safety
/// `out` is null, a handle, or a place for one.
pub(super) unsafe fn give<T: Object>(out: *mut Handle, object: Arc<T>) -> Result<(), Fault> {
    // SAFETY: as the caller promises.
    unsafe { check_out(out.cast())? };
    let handle = NEXT.fetch_add(16, Ordering::Relaxed);
    objects().insert(handle, (T::KIND, object));
    // SAFETY: not null and no handle, so a place for one.
    unsafe { *out = handle as Handle };
    Ok(())
}

/// # Safety
/// `out` is null, a handle, or a place for a value.
pub(super) unsafe fn check_out(out: *const c_void) -> Result<(), Fault> {
    match out.is_null() || is_handle(out) {
        true => Err(Fault::argument("double: invalid out-pointer")),
        false => Ok(()),
    }
}

/// Writes a value through an out-pointer.
///
/// # Safety
/// `out` is null, a handle, or a place for a value.
pub(super) unsafe fn put<T>(out: *mut T, value: T) -> Result<(), Fault> {
    // SAFETY: as the caller promises.
    unsafe {
        check_out(out.cast())?;
        out.write(value);
    }
    Ok(())
}

/// The object behind a handle.
pub(super) fn get<T: Object>(handle: Handle) -> Result<Arc<T>, Fault> {
    let found = objects().get(&(handle as usize)).map(|(_, object)| object.clone());
    let found = found.and_then(|object| object.downcast::<T>().ok());
    found.ok_or_else(|| Fault::argument(format!("double: invalid {} handle", T::KIND)))
}

/// Releases the handle at `address` and clears it.
///
/// # Safety
/// `address` is null, or the address of a handle.
pub(super) unsafe fn release<T: Object>(address: *mut Handle) -> Result<Arc<T>, Fault> {
    if !behaviour::is_on("e5rt/release-by-address") {
        let object = get::<T>(address.cast())?;
        objects().remove(&(address as usize));
        return Ok(object);
    }
    // SAFETY: as the caller promises.
    unsafe { check_out(address.cast())? };
    // SAFETY: not null, so the address of a handle.
    let handle = unsafe { *address };
    let object = get::<T>(handle)?;
    objects().remove(&(handle as usize));
    // SAFETY: as above.
    unsafe { *address = std::ptr::null_mut() };
    Ok(object)
}

/// The text of an argument.
///
/// # Safety
/// `text` is null, a handle, or a C string.
pub(super) unsafe fn text<'a>(text: *const c_char) -> Result<&'a str, Fault> {
    if text.is_null() || is_handle(text.cast()) {
        return Err(Fault::argument("double: a text is missing"));
    }
    // SAFETY: as the caller promises.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map_err(|_| Fault::argument("double: a text that is not UTF-8"))
}
