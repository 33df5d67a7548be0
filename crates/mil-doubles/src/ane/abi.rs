//! The C functions of `objc/ane.h`.

use super::layout::Side;
use super::{Binding, Program, daemon, program};
use crate::abi::{c_string, explain, utf8};
use std::ffi::{CStr, OsStr, c_char, c_int, c_uint, c_ulong, c_void};
use std::hash::{DefaultHasher, Hasher};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

#[unsafe(no_mangle)]
unsafe extern "C" fn double_ane_compile(
    name: *const c_char,
    path: *const c_char,
    why: *mut *mut c_char,
) -> c_int {
    // SAFETY: C strings of the Objective-C side.
    let (name, path) = unsafe { (utf8(name), Path::new(OsStr::from_bytes(CStr::from_ptr(path).to_bytes()))) };
    match super::compile(name, path) {
        Ok(()) => 1,
        Err(text) => {
            // SAFETY: a local variable of the Objective-C side.
            unsafe { explain(why, &text) };
            0
        }
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_ane_exists(name: *const c_char) -> c_int {
    if name.is_null() {
        return 0;
    }
    // SAFETY: a C string of the Objective-C side.
    c_int::from(daemon().compiled.contains_key(unsafe { utf8(name) }))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_ane_purge(name: *const c_char) {
    if !name.is_null() {
        // SAFETY: a C string of the Objective-C side.
        let gone = daemon().compiled.remove(unsafe { utf8(name) });
        drop(gone);
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_ane_load(name: *const c_char, why: *mut *mut c_char) -> u64 {
    // SAFETY: a C string of the Objective-C side.
    match super::load(unsafe { utf8(name) }) {
        Ok(handle) => handle,
        Err(text) => {
            // SAFETY: a local variable of the Objective-C side.
            unsafe { explain(why, &text) };
            0
        }
    }
}

#[unsafe(no_mangle)]
extern "C" fn double_ane_unload(handle: u64) -> c_int {
    let gone = daemon().loaded.remove(&handle);
    c_int::from(gone.is_some())
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_ane_run(
    handle: u64,
    procedure: c_ulong,
    inputs: *const Binding,
    input_count: c_ulong,
    outputs: *const Binding,
    output_count: c_ulong,
    why: *mut *mut c_char,
) -> c_uint {
    let size = |n: c_ulong| usize::try_from(n).unwrap_or(0);
    // SAFETY: arrays of that many bindings; their addresses are surfaces that the request keeps alive.
    let result = unsafe {
        let inputs = std::slice::from_raw_parts(inputs, size(input_count));
        let outputs = std::slice::from_raw_parts(outputs, size(output_count));
        super::run(handle, usize::try_from(procedure).unwrap_or(usize::MAX), inputs, outputs)
    };
    match result {
        Ok(()) => 0,
        Err((status, text)) => {
            // SAFETY: a local variable of the Objective-C side.
            unsafe { explain(why, &text) };
            status
        }
    }
}

#[unsafe(no_mangle)]
extern "C" fn double_ane_procedures(handle: u64) -> c_ulong {
    program(handle).map_or(0, |p| p.procedures.len() as c_ulong)
}

/// A C string that lives as long as the program is loaded.
#[unsafe(no_mangle)]
extern "C" fn double_ane_procedure_name(handle: u64, procedure: c_ulong) -> *const c_char {
    let found = program(handle);
    let procedure = found.as_ref().and_then(|p| p.procedures.get(usize::try_from(procedure).ok()?));
    procedure.map_or(c"".as_ptr(), |p| p.name.as_ptr())
}

fn side(program: &Option<Arc<Program>>, procedure: c_ulong, output: c_int) -> Option<&Side> {
    let procedure = program.as_ref()?.procedures.get(usize::try_from(procedure).ok()?)?;
    Some(if output == 0 { &procedure.inputs } else { &procedure.outputs })
}

#[unsafe(no_mangle)]
extern "C" fn double_ane_symbols(handle: u64, procedure: c_ulong, output: c_int) -> c_ulong {
    side(&program(handle), procedure, output).map_or(0, |s| s.names.len() as c_ulong)
}

#[unsafe(no_mangle)]
extern "C" fn double_ane_symbol(
    handle: u64,
    procedure: c_ulong,
    output: c_int,
    position: c_ulong,
) -> c_ulong {
    side(&program(handle), procedure, output).map_or(0, |s| s.first as c_ulong + position)
}

/// A C string that lives as long as the program is loaded.
#[unsafe(no_mangle)]
extern "C" fn double_ane_symbol_name(
    handle: u64,
    procedure: c_ulong,
    output: c_int,
    position: c_ulong,
) -> *const c_char {
    let program = program(handle);
    let name = side(&program, procedure, output).and_then(|s| s.names.get(usize::try_from(position).ok()?));
    name.map_or(c"".as_ptr(), |n| n.as_ptr())
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_ane_digest(bytes: *const c_void, count: c_ulong) -> *mut c_char {
    let count = usize::try_from(count).unwrap_or(0);
    let bytes = match bytes.is_null() || count == 0 {
        true => &[][..],
        // SAFETY: the bytes of an NSData.
        false => unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), count) },
    };
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    c_string(&format!("{:016X}", hasher.finish())).into_raw()
}

#[unsafe(no_mangle)]
extern "C" fn double_ane_stall() {
    let ms = std::env::var("MILWRIGHT_DOUBLE_STALL_MS").ok().and_then(|ms| ms.parse().ok()).unwrap_or(0);
    std::thread::sleep(std::time::Duration::from_millis(ms));
}
