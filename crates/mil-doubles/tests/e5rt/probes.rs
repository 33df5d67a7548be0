//! One probe for each behaviour: true as documented, false when it is broken.

use crate::call;
use crate::rig::{
    CALLS, Folder, Op, Owned, P, RELU, bind, buffer, called, compile, encode, event, execute, function,
    last_error, library, operation, port, run, source, stream, submit,
};
use std::ffi::{c_char, c_int, c_void};
use std::ptr::{null, null_mut};
use std::sync::atomic::Ordering;

type Probe = fn() -> bool;

pub(crate) const ALL: &[(&str, Probe)] = &[
    ("e5rt/config-required", config_required),
    ("e5rt/out-first", out_first),
    ("e5rt/release-by-address", release_by_address),
    ("e5rt/mask-4-refuses", mask_4_refuses),
    ("e5rt/mask-7-falls-back", mask_7_falls_back),
    ("e5rt/io-types", io_types),
    ("e5rt/states-are-inout", states_are_inout),
    ("e5rt/padded-rows", padded_rows),
    ("e5rt/strides-in-bytes", strides_in_bytes),
    ("e5rt/port-introspection", port_introspection),
    ("e5rt/buffer-types", buffer_types),
    ("e5rt/buffer-multiple-of-64", buffer_multiple),
    ("e5rt/frozen-after-encode", frozen),
    ("e5rt/ports-bound", ports_bound),
    ("e5rt/zero-handle", zero_handle),
    ("e5rt/outputs-written", outputs_written),
    ("e5rt/order-of-encoding", order),
    ("e5rt/runs-again", runs_again),
    ("e5rt/old-submit-withdrawn", old_submit),
    ("e5rt/one-stream-at-a-time", one_stream),
    ("e5rt/in-flight-limit", in_flight),
    ("e5rt/event-third-argument", event_third),
    ("e5rt/event-name", event_name),
    ("e5rt/events-still-under-sync", events_still),
    ("e5rt/reset-fresh-stream", reset_fresh),
    ("e5rt/load-withdrawn", load_withdrawn),
    ("e5rt/chip-bound", chip_bound),
    ("e5rt/target-architecture-ignored", target_ignored),
    ("e5rt/bundle-reuse", bundle_reuse),
    ("e5rt/loaded-limit", loaded_limit),
    ("e5rt/status-text-is-c", status_text),
    ("e5rt/last-error-text", last_error_text),
];

fn relu() -> String {
    source(RELU.0, RELU.1, RELU.2)
}

/// A program that the Neural Engine has no implementation for.
fn refused() -> String {
    source(RELU.0, "tensor<fp16, [1, 3]> y = tan(x = x);", "y")
}

fn config_required() -> bool {
    let mut compiler = null_mut();
    let status = call!(e5rt_e5_compiler_create_with_config(&raw mut compiler => *mut P, null_mut() => P));
    let _compiler = Owned::new(compiler, "e5rt_e5_compiler_release");
    status == 1
}

fn out_first() -> bool {
    let folder = Folder::new();
    let function = function(&library(&relu(), &folder));
    let mut options: P = null_mut();
    // The other order.
    let status = call!(e5rt_precompiled_compute_op_create_options_create_with_program_function(
        function.0 => P, (&raw mut options).cast() => P));
    let _options = Owned::new(options, "e5rt_precompiled_compute_op_create_options_release");
    let told = last_error() == "Cannot provide program function as nullptr";
    let mut made: P = null_mut();
    let path = call!(e5rt_program_library_create((&raw mut made).cast() => P, null() => *const c_char));
    status == 1 && told && path == 1 && last_error() == "Invalid E5 path specified"
}

fn release_by_address() -> bool {
    let buffer = buffer(64, 0).unwrap();
    let mut handle = buffer.0;
    let status = call!(e5rt_buffer_object_release(&raw mut handle => *mut P));
    std::mem::forget(buffer);
    if status != 0 {
        // The broken double takes the handle itself.
        assert_eq!(call!(e5rt_buffer_object_release(handle.cast() => *mut P)), 0);
    }
    status == 0 && handle.is_null()
}

fn mask_4_refuses() -> bool {
    let folder = Folder::new();
    compile(&refused(), 4, None, &folder).is_err() && last_error().contains("`tan`")
}

fn mask_7_falls_back() -> bool {
    let folder = Folder::new();
    compile(&refused(), 7, None, &folder).is_ok() && compile(&refused(), 5, None, &folder).is_ok()
}

fn io_types() -> bool {
    let folder = Folder::new();
    let fp32 = source("tensor<fp32, [3]> x", "tensor<fp32, [3]> y = relu(x = x);", "y");
    compile(&fp32, 1, None, &folder).is_ok() && compile(&fp32, 4, None, &folder).is_err()
}

fn states_are_inout() -> bool {
    let folder = Folder::new();
    let text = source(
        "state<tensor<fp16, [1, 3]>> s, tensor<fp16, [1, 3]> x",
        "tensor<fp16, [1, 3]> r = read_state(input = s); tensor<fp16, [1, 3]> y = add(x = r, y = x); write_state(data = y, input = s);",
        "y",
    );
    let Ok(library) = compile(&text, 4, None, &folder) else { return false };
    let op = operation(&library).unwrap();
    let mut port = null_mut();
    let status = call!(e5rt_execution_stream_operation_retain_inout_port(
        op.0 => P, c"s".as_ptr() => *const c_char, &raw mut port => *mut P));
    let _port = Owned::new(port, "e5rt_io_port_release");
    status == 0
}

/// The description of a port `x` of two rows of three: its stride between rows, and its size.
fn described() -> (u64, u64, u64) {
    let folder = Folder::new();
    let text = source("tensor<fp16, [2, 3]> x", "tensor<fp16, [2, 3]> y = relu(x = x);", "y");
    let op = operation(&library(&text, &folder)).unwrap();
    let port = port(&op, "x");
    let (mut desc, mut row, mut element, mut size) = (null_mut(), 0, 0, 0);
    assert_eq!(call!(e5rt_io_port_retain_tensor_desc(port.0 => P, &raw mut desc => *mut P)), 0);
    let desc = Owned::new(desc, "e5rt_tensor_desc_release");
    call!(e5rt_tensor_desc_get_dimension_stride(desc.0 => P, 0 => u64, &raw mut row => *mut u64));
    call!(e5rt_tensor_desc_get_dimension_stride(desc.0 => P, 1 => u64, &raw mut element => *mut u64));
    call!(e5rt_tensor_desc_get_size(desc.0 => P, &raw mut size => *mut u64));
    let mut missing = 0;
    assert_eq!(
        call!(e5rt_tensor_desc_get_dimension_length(desc.0 => P, 2 => u64, &raw mut missing => *mut u64)),
        4
    );
    (row, element, size)
}

fn padded_rows() -> bool {
    described() == (64, 2, 128)
}

fn strides_in_bytes() -> bool {
    described().1 == 2
}

fn port_introspection() -> bool {
    mil_doubles::symbol("e5rt_io_port_retain_tensor_desc").is_some()
        && mil_doubles::symbol("e5rt_io_port_is_tensor").is_some()
}

fn buffer_types() -> bool {
    (0..3).all(|kind| buffer(64, kind).is_ok()) && buffer(64, 3).is_err()
}

fn buffer_multiple() -> bool {
    buffer(0, 0).is_err() && buffer(64, 0).is_ok() && buffer(65, 0).is_err()
}

fn frozen() -> bool {
    let op = Op::relu();
    let stream = stream();
    assert_eq!(encode(&stream, op.op.0), 0);
    let other = buffer(64, 0).unwrap();
    bind(&port(&op.op, "x"), &other) != 0
}

fn ports_bound() -> bool {
    let folder = Folder::new();
    let op = operation(&library(&relu(), &folder)).unwrap();
    encode(&stream(), op.0) != 0
}

fn zero_handle() -> bool {
    let op = Op::relu();
    op.set("y", &[7.0, 7.0, 7.0]);
    let stream = stream();
    let nothing = encode(&stream, null_mut());
    let none = Owned::new(null_mut(), "e5rt_execution_stream_release");
    nothing == 0 && execute(&stream) == 0 && execute(&none) == 0 && op.get("y") == [7.0; 3]
}

fn outputs_written() -> bool {
    let op = Op::relu();
    op.set("x", &[1.0, 2.0, 3.0]);
    run(&[&op]) == 0 && op.get("y") == [1.0, 2.0, 3.0]
}

/// y = x + 1, then z = 2 y, through a shared buffer.
fn order() -> bool {
    let add = Op::new("tensor<fp16, [1, 3]> y = add(x = x, y = fp16(1));");
    let double = Op::new("tensor<fp16, [1, 3]> y = mul(x = x, y = fp16(2));");
    assert_eq!(bind(&port(&double.op, "x"), &add.y), 0);
    add.set("x", &[1.0, 2.0, 3.0]);
    add.set("y", &[0.0; 3]);
    assert_eq!(run(&[&add, &double]), 0, "{}", last_error());
    double.get("y") == [4.0, 6.0, 8.0]
}

fn runs_again() -> bool {
    let op = Op::relu();
    let stream = stream();
    assert_eq!(encode(&stream, op.op.0), 0);
    op.set("x", &[1.0; 3]);
    assert_eq!(execute(&stream), 0);
    op.set("x", &[2.0; 3]);
    execute(&stream) == 0 && op.get("y") == [2.0; 3]
}

fn old_submit() -> bool {
    let stream = stream();
    let status = call!(e5rt_execution_stream_async_submit(stream.0 => P, null_mut() => *mut c_void));
    status != 0 && last_error() == "use submit_async"
}

/// A stream whose operation waits for an event.
fn waiting() -> (Op, Owned, Owned) {
    let (op, stream, event) = (Op::relu(), stream(), event(c"gate".as_ptr(), 0).unwrap());
    assert_eq!(call!(e5rt_async_event_set_active_future_value(event.0 => P, 1 => u64)), 0);
    let events = [event.0];
    assert_eq!(
        call!(e5rt_execution_stream_operation_bind_dependent_events(op.op.0 => P, events.as_ptr() => *const P, 1 => u64)),
        0
    );
    assert_eq!(encode(&stream, op.op.0), 0);
    (op, stream, event)
}

fn open(event: &Owned) {
    assert_eq!(call!(e5rt_async_event_signal(event.0 => P, 1 => u64)), 0);
}

fn one_stream() -> bool {
    let before = CALLS.load(Ordering::SeqCst);
    let (_first_op, first, gate) = waiting();
    let (second_op, second) = (Op::relu(), stream());
    assert_eq!(encode(&second, second_op.op.0), 0);
    assert_eq!((submit(&first), submit(&second)), (0, 0));
    open(&gate);
    assert!(called(before, 1));
    !called(before, 2)
}

fn in_flight() -> bool {
    let before = CALLS.load(Ordering::SeqCst);
    let (_op, stream, gate) = waiting();
    let taken = (0..128).take_while(|_| submit(&stream) == 0).count();
    open(&gate);
    assert!(called(before, taken));
    taken == 127
}

fn event_third() -> bool {
    event(c"e".as_ptr(), 0).is_ok() && event(c"e".as_ptr(), 1).is_err()
}

fn event_name() -> bool {
    event(null(), 0).is_err()
}

fn value(event: &Owned) -> u64 {
    let mut value = 0;
    assert_eq!(call!(e5rt_async_event_get_last_signaled_value(event.0 => P, &raw mut value => *mut u64)), 0);
    value
}

fn events_still() -> bool {
    let (op, event, stream) = (Op::relu(), event(c"done".as_ptr(), 0).unwrap(), stream());
    let bound = call!(e5rt_execution_stream_operation_bind_completion_event(op.op.0 => P, event.0 => P));
    assert_eq!((bound, encode(&stream, op.op.0), execute(&stream)), (0, 0, 0));
    let still = value(&event) == 0;
    assert_eq!(call!(e5rt_async_event_set_active_future_value(event.0 => P, 5 => u64)), 0);
    assert_eq!(submit(&stream), 0);
    let waited = call!(e5rt_async_event_sync_wait(event.0 => P, 5 => u64, 1_000_000_000 => u64));
    assert_eq!((waited, value(&event)), (0, 5));
    assert_ne!(call!(e5rt_async_event_sync_wait(event.0 => P, 6 => u64, 1_000_000 => u64)), 0);
    still
}

fn reset_fresh() -> bool {
    let stream = stream();
    call!(e5rt_execution_stream_reset(stream.0 => P)) == 0
}

fn load_withdrawn() -> bool {
    let folder = Folder::new();
    let function = function(&library(&relu(), &folder));
    let status = call!(e5rt_program_function_load_for_execution(function.0 => P));
    status != 0 && last_error() == "no longer supported"
}

/// Opens the bundle that the double wrote, after its label was changed.
fn reopened(change: impl Fn(&str) -> String) -> Result<Owned, c_int> {
    let folder = Folder::new();
    drop(library(&relu(), &folder));
    let bundle = folder.bundle();
    let label = bundle.join("double.txt");
    std::fs::write(&label, change(&std::fs::read_to_string(&label).unwrap())).unwrap();
    let (path, mut library) = (crate::rig::c(bundle.to_str().unwrap()), null_mut());
    match call!(e5rt_program_library_create(&raw mut library => *mut P, path.as_ptr() => *const c_char)) {
        0 => Ok(Owned::new(library, "e5rt_program_library_release")),
        status => Err(status),
    }
}

fn chip_bound() -> bool {
    let ours = reopened(str::to_owned).unwrap();
    assert!(operation(&ours).is_ok());
    let other = reopened(|label| label.replace(mil_doubles::e5rt::CHIP, "h13")).unwrap();
    operation(&other).is_err()
}

fn target_ignored() -> bool {
    let folder = Folder::new();
    let library = compile(&relu(), 4, Some("TargetArchitecture=h13"), &folder).unwrap();
    operation(&library).is_ok()
}

fn bundle_reuse() -> bool {
    reopened(|label| label.replacen(&std::process::id().to_string(), "1", 1)).is_ok()
}

fn loaded_limit() -> bool {
    let folder = Folder::new();
    let library = library(&relu(), &folder);
    let mut ops: Vec<Owned> = (0..128).map_while(|_| operation(&library).ok()).collect();
    assert_eq!(ops.len(), 128);
    let full = operation(&library).is_err();
    ops.pop();
    assert!(operation(&library).is_ok(), "releasing one makes room");
    full
}

fn status_text() -> bool {
    let address = mil_doubles::symbol("e5rt_error_code_get_string").unwrap();
    // SAFETY: a function of a status that gives a C string or nothing.
    let text = unsafe {
        let get: unsafe extern "C-unwind" fn(c_int) -> *const c_char = std::mem::transmute(address.as_ptr());
        get(1)
    };
    // SAFETY: a static string of the double.
    !text.is_null() && unsafe { std::ffi::CStr::from_ptr(text) } == c"double: invalid argument"
}

fn last_error_text() -> bool {
    let mut compiler = null_mut();
    assert_eq!(call!(e5rt_e5_compiler_create_with_config(&raw mut compiler => *mut P, null_mut() => P)), 1);
    last_error().contains("invalid config options handle")
}
