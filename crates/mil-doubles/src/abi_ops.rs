//! The ops of a program, as `objc/ml_plan.m` asks for them.

use crate::abi::{c_string, program};
use mil_base::DType;
use mil_ir::{Function, Op};
use std::ffi::{c_char, c_int, c_long, c_void};

/// The function and its ops outside of blocks.
///
/// # Safety
/// `handle` is from `double_program_compile` and not given back.
unsafe fn ops<'a>(handle: *mut c_void, function: c_long) -> Option<(&'a Function, Vec<&'a Op>)> {
    // SAFETY: as the caller promises.
    let compiled = &unsafe { program(handle) }.compiled;
    let name = &compiled.functions.get(usize::try_from(function).ok()?)?.name;
    let program = compiled.checked().program();
    let f = &program.functions[program.function(name)?];
    Some((f, f.blocks[f.body].ops.iter().map(|&op| &f.ops[op]).collect()))
}

/// # Safety
/// As for [`ops`].
unsafe fn op<'a>(handle: *mut c_void, function: c_long, op: c_long) -> Option<(&'a Function, &'a Op)> {
    // SAFETY: as the caller promises.
    let (f, ops) = unsafe { ops(handle, function) }?;
    Some((f, ops.get(usize::try_from(op).ok()?)?))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_op_count(handle: *mut c_void, function: c_long) -> c_long {
    // SAFETY: a program of ours.
    unsafe { ops(handle, function) }.and_then(|(_, ops)| c_long::try_from(ops.len()).ok()).unwrap_or(0)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_op_text(
    handle: *mut c_void,
    function: c_long,
    index: c_long,
    what: c_int,
) -> *mut c_char {
    // SAFETY: a program of ours.
    let found = unsafe { op(handle, function, index) };
    let text = found.map(|(f, op)| match what {
        0 => op.name.to_string(),
        _ => op.outputs.first().map(|&v| f.values[v].name.to_string()).unwrap_or_default(),
    });
    c_string(&text.unwrap_or_default()).into_raw()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn double_op_half_bytes(handle: *mut c_void, function: c_long, index: c_long) -> c_long {
    // SAFETY: a program of ours.
    let Some((f, op)) = (unsafe { op(handle, function, index) }) else { return 0 };
    if &*op.name == "const" {
        return -1;
    }
    let ty = op.outputs.first().and_then(|&v| f.values[v].ty.as_tensor());
    let half = ty.filter(|ty| ty.dtype == DType::Fp16).and_then(|ty| ty.shape.count());
    half.and_then(|n| c_long::try_from(n.checked_mul(2)?).ok()).unwrap_or(0)
}
