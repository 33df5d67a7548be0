//! The C functions of `objc/double.h`, which the Objective-C doubles call.
//!
//! Pointers to programs and sessions are boxes of ours; the Objective-C side owns them and gives each back once.

use crate::program::{Compiled, Port, Running};
use crate::surface::{self, Surface};
use crate::{behaviour, notes};
use mil_base::DType;
use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_long, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// A compiled program with its names as C strings, which live as long as it does.
pub(crate) struct Program {
    pub(crate) compiled: Arc<Compiled>,
    functions: Vec<(CString, [Vec<CString>; 3])>,
}

pub(crate) fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', " ")).unwrap_or_default()
}

/// # Safety
/// `text` is a C string.
pub(crate) unsafe fn utf8<'a>(text: *const c_char) -> &'a str {
    // SAFETY: as the caller promises.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap_or_default()
}

/// # Safety
/// `why` is null or a place for a pointer.
pub(crate) unsafe fn explain(why: *mut *mut c_char, text: &str) {
    if !why.is_null() {
        // SAFETY: as the caller promises; freed by `double_free_text`.
        unsafe { *why = c_string(text).into_raw() };
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_behaves(slug: *const c_char) -> c_int {
    // SAFETY: a string literal of the Objective-C side.
    let slug = unsafe { utf8(slug) };
    debug_assert!(behaviour::all().any(|b| b.slug == slug), "`{slug}` is in no table of behaviours");
    c_int::from(behaviour::is_on(slug))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_note(what: *const c_char) {
    // SAFETY: a C string of the Objective-C side.
    notes::add(unsafe { utf8(what) });
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_program_compile(path: *const c_char, why: *mut *mut c_char) -> *mut c_void {
    // SAFETY: a C string of the Objective-C side.
    let path = Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(path) }.to_bytes()));
    match Compiled::open(path) {
        Ok(compiled) => {
            let names = |ports: &[Port]| ports.iter().map(|p| c_string(&p.name)).collect();
            let functions = compiled
                .functions
                .iter()
                .map(|f| (c_string(&f.name), [names(&f.inputs), names(&f.outputs), names(&f.states)]));
            let functions = functions.collect();
            Box::into_raw(Box::new(Program { compiled: Arc::new(compiled), functions })).cast()
        }
        Err(text) => {
            // SAFETY: a local variable of the Objective-C side.
            unsafe { explain(why, &text) };
            std::ptr::null_mut()
        }
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_program_release(program: *mut c_void) {
    // SAFETY: from `double_program_compile`, given back once.
    drop(unsafe { Box::from_raw(program.cast::<Program>()) });
}

/// # Safety
/// `program` is from `double_program_compile` and not given back.
pub(crate) unsafe fn program<'a>(program: *mut c_void) -> &'a Program {
    // SAFETY: as the caller promises.
    unsafe { &*program.cast::<Program>() }
}

/// # Safety
/// As for [`program`].
unsafe fn ports<'a>(handle: *mut c_void, function: c_long, kind: c_int) -> &'a [Port] {
    // SAFETY: as the caller promises.
    let program = unsafe { program(handle) };
    let Some(f) = usize::try_from(function).ok().and_then(|i| program.compiled.functions.get(i)) else {
        return &[];
    };
    match kind {
        0 => &f.inputs,
        1 => &f.outputs,
        _ => &f.states,
    }
}

/// # Safety
/// As for [`program`].
unsafe fn port<'a>(handle: *mut c_void, function: c_long, kind: c_int, port: c_long) -> Option<&'a Port> {
    // SAFETY: as the caller promises.
    unsafe { ports(handle, function, kind) }.get(usize::try_from(port).ok()?)
}

fn long(n: usize) -> c_long {
    c_long::try_from(n).unwrap_or(c_long::MAX)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_function_count(handle: *mut c_void) -> c_long {
    // SAFETY: a program of ours.
    long(unsafe { program(handle) }.functions.len())
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_function_name(handle: *mut c_void, function: c_long) -> *const c_char {
    // SAFETY: a program of ours.
    let program = unsafe { program(handle) };
    let found = usize::try_from(function).ok().and_then(|i| program.functions.get(i));
    found.map_or(std::ptr::null(), |(name, _)| name.as_ptr())
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_port_count(handle: *mut c_void, function: c_long, kind: c_int) -> c_long {
    // SAFETY: a program of ours.
    long(unsafe { ports(handle, function, kind) }.len())
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_port_name(
    handle: *mut c_void,
    function: c_long,
    kind: c_int,
    port: c_long,
) -> *const c_char {
    // SAFETY: a program of ours.
    let program = unsafe { program(handle) };
    let name = || {
        let (_, kinds) = program.functions.get(usize::try_from(function).ok()?)?;
        kinds.get(usize::try_from(kind).ok()?.min(2))?.get(usize::try_from(port).ok()?)
    };
    name().map_or(std::ptr::null(), |name| name.as_ptr())
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_port_dtype(handle: *mut c_void, f: c_long, kind: c_int, p: c_long) -> c_long {
    // SAFETY: a program of ours.
    unsafe { port(handle, f, kind, p) }.map_or(0, |port| dtype_code(port.dtype))
}

/// Bits, with 0x100 for floats and 0x200 for signed integers.
pub(crate) fn dtype_code(dtype: DType) -> c_long {
    let bits = long(dtype.bits());
    bits | if dtype.is_float() {
        0x100
    } else if dtype.is_signed_int() {
        0x200
    } else {
        0
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_port_bytes(handle: *mut c_void, f: c_long, kind: c_int, p: c_long) -> c_long {
    // SAFETY: a program of ours.
    unsafe { port(handle, f, kind, p) }.and_then(Port::bytes).map_or(0, long)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_port_rank(handle: *mut c_void, f: c_long, kind: c_int, p: c_long) -> c_long {
    // SAFETY: a program of ours.
    unsafe { port(handle, f, kind, p) }.map_or(0, |port| long(port.shape.len()))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_port_size(
    handle: *mut c_void,
    f: c_long,
    kind: c_int,
    p: c_long,
    axis: c_long,
) -> c_long {
    // SAFETY: a program of ours.
    let port = unsafe { port(handle, f, kind, p) };
    let size = port.and_then(|port| port.shape.get(usize::try_from(axis).ok()?));
    size.map_or(0, |&n| long(n))
}

/// A session; the lock lets two Objective-C threads share it as they may share the object it stands for.
type Locked = Mutex<Running>;

#[unsafe(no_mangle)]
unsafe extern "C" fn double_session_new(handle: *mut c_void, function: c_long) -> *mut c_void {
    // SAFETY: a program of ours.
    let program = unsafe { program(handle) };
    let session = usize::try_from(function).ok().and_then(|f| program.compiled.session(f).ok());
    session.map_or(std::ptr::null_mut(), |running| Box::into_raw(Box::new(Mutex::new(running))).cast())
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_session_release(session: *mut c_void) {
    // SAFETY: from `double_session_new`, given back once.
    drop(unsafe { Box::from_raw(session.cast::<Locked>()) });
}

/// # Safety
/// From `double_session_new` and not given back.
unsafe fn session<'a>(session: *mut c_void) -> std::sync::MutexGuard<'a, Running> {
    // SAFETY: as the caller promises.
    unsafe { &*session.cast::<Locked>() }.lock().unwrap_or_else(PoisonError::into_inner)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_session_run(
    handle: *mut c_void,
    inputs: *const *const c_void,
    outputs: *const *mut c_void,
    why: *mut *mut c_char,
) -> c_int {
    // SAFETY: a session of ours.
    let mut running = unsafe { session(handle) };
    let sizes: Vec<usize> = running.signature().inputs.iter().filter_map(Port::bytes).collect();
    let given: Vec<&[u8]> = sizes
        .iter()
        .enumerate()
        // SAFETY: the caller gives one pointer for each input, to at least its packed bytes.
        .map(|(i, &n)| unsafe { std::slice::from_raw_parts((*inputs.add(i)).cast::<u8>(), n) })
        .collect();
    match running.run(&given) {
        Ok(results) => {
            for (i, bytes) in results.iter().enumerate() {
                // SAFETY: one pointer for each output, to at least its packed bytes.
                unsafe {
                    std::ptr::copy_nonoverlapping(
                        bytes.as_ptr(),
                        (*outputs.add(i)).cast::<u8>(),
                        bytes.len(),
                    );
                }
            }
            1
        }
        Err(text) => {
            // SAFETY: a local variable of the Objective-C side.
            unsafe { explain(why, &text) };
            0
        }
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_session_read_state(handle: *mut c_void, state: c_long, to: *mut c_void) -> c_int {
    // SAFETY: a session of ours.
    let running = unsafe { session(handle) };
    let Some(bytes) = usize::try_from(state).ok().and_then(|i| running.state(i)) else { return 0 };
    // SAFETY: the caller gives room for the state's packed bytes.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to.cast::<u8>(), bytes.len()) };
    1
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_session_write_state(
    handle: *mut c_void,
    state: c_long,
    from: *const c_void,
) -> c_int {
    // SAFETY: a session of ours.
    let mut running = unsafe { session(handle) };
    let Ok(index) = usize::try_from(state) else { return 0 };
    let Some(n) = running.signature().states.get(index).and_then(Port::bytes) else { return 0 };
    // SAFETY: the caller gives the state's packed bytes.
    let bytes = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), n) };
    c_int::from(running.set_state(index, bytes).is_ok())
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_free_text(text: *mut c_char) {
    if !text.is_null() {
        // SAFETY: from `explain`, given back once.
        drop(unsafe { CString::from_raw(text) });
    }
}

#[unsafe(no_mangle)]
extern "C" fn double_surface_create(bytes: c_long) -> *mut Surface {
    surface::create(usize::try_from(bytes).unwrap_or(0))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_surface_retain(surface: *mut Surface) -> *mut Surface {
    if !surface.is_null() {
        // SAFETY: a surface of ours with a reference left.
        unsafe { surface::retain(surface) };
    }
    surface
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_surface_release(surface: *mut Surface) {
    if !surface.is_null() {
        // SAFETY: a surface of ours; the caller gives its reference back.
        unsafe { surface::release(surface) };
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_surface_base(surface: *mut Surface) -> *mut c_void {
    // SAFETY: a surface of ours or null.
    unsafe { surface.as_ref() }.map_or(std::ptr::null_mut(), |s| s.base().cast())
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_surface_bytes(surface: *mut Surface) -> c_long {
    // SAFETY: a surface of ours or null.
    unsafe { surface.as_ref() }.map_or(0, |s| long(s.bytes()))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_surface_lock(surface: *mut Surface) {
    // SAFETY: a surface of ours or null.
    if let Some(s) = unsafe { surface.as_ref() } {
        s.lock();
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_surface_unlock(surface: *mut Surface) -> c_int {
    // SAFETY: a surface of ours or null.
    c_int::from(unsafe { surface.as_ref() }.is_some_and(|s| !s.unlock()))
}
