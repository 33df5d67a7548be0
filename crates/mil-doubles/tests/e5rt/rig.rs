//! The documented order of calls, in a straight line.

use mil_base::f16;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A handle.
pub(crate) type P = *mut c_void;

/// Keeps tests apart that share the double.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Calls a function of the double by name, with the types written at its arguments.
#[macro_export]
macro_rules! call {
    ($name:ident($($value:expr => $ty:ty),*)) => {{
        let address = mil_doubles::symbol(stringify!($name)).expect(stringify!($name));
        #[allow(clippy::macro_metavars_in_unsafe, reason = "the arguments are the test's own")]
        // SAFETY: the function's types, as its documentation has them.
        let status = unsafe {
            let f: unsafe extern "C-unwind" fn($($ty),*) -> std::ffi::c_int = std::mem::transmute(address.as_ptr());
            f($($value),*)
        };
        status
    }};
}

/// A handle that is released by address.
pub(crate) struct Owned(pub(crate) P, &'static str);

impl Owned {
    pub(crate) fn new(handle: P, release: &'static str) -> Owned {
        Owned(handle, release)
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        let address = mil_doubles::symbol(self.1).expect("every family has a release");
        // SAFETY: releases take the address of the handle.
        unsafe {
            let release: unsafe extern "C-unwind" fn(*mut P) -> c_int = std::mem::transmute(address.as_ptr());
            release(&raw mut self.0);
        }
    }
}

pub(crate) fn last_error() -> String {
    let address = mil_doubles::symbol("e5rt_get_last_error_message").unwrap();
    // SAFETY: it takes nothing and gives a C string.
    unsafe {
        let get: unsafe extern "C-unwind" fn() -> *const c_char = std::mem::transmute(address.as_ptr());
        CStr::from_ptr(get()).to_string_lossy().into_owned()
    }
}

pub(crate) fn c(text: &str) -> CString {
    CString::new(text).unwrap()
}

/// A folder that goes away.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("mil-doubles-{}-{n}", std::process::id()));
        std::fs::create_dir_all(path.join("cache")).unwrap();
        Folder(path)
    }

    /// The one bundle in the cache.
    pub(crate) fn bundle(&self) -> PathBuf {
        std::fs::read_dir(self.0.join("cache")).unwrap().next().unwrap().unwrap().path()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A program of one function that takes and gives fp16.
pub(crate) fn source(params: &str, body: &str, results: &str) -> String {
    format!("program(1.3)\n{{\nfunc main<ios18>({params}) {{\n{body}\n}} -> ({results});\n}}\n")
}

pub(crate) const RELU: (&str, &str, &str) =
    ("tensor<fp16, [1, 3]> x", "tensor<fp16, [1, 3]> y = relu(x = x);", "y");

/// Compiles; the library or the status.
pub(crate) fn compile(text: &str, mask: u64, custom: Option<&str>, folder: &Folder) -> Result<Owned, c_int> {
    let (mil, cache) = (folder.0.join("model.mil"), folder.0.join("cache"));
    std::fs::write(&mil, text).unwrap();
    let path = |p: &Path| c(p.to_str().unwrap());
    let (mil, cache) = (path(&mil), path(&cache));
    let (mut config, mut compiler, mut options, mut library) =
        (null_mut(), null_mut(), null_mut(), null_mut());
    call!(e5rt_e5_compiler_config_options_create(&raw mut config => *mut P));
    let config = Owned::new(config, "e5rt_e5_compiler_config_options_release");
    call!(e5rt_e5_compiler_config_options_set_cache_bundle_location(config.0 => P, cache.as_ptr() => *const c_char));
    call!(e5rt_e5_compiler_create_with_config(&raw mut compiler => *mut P, config.0 => P));
    let compiler = Owned::new(compiler, "e5rt_e5_compiler_release");
    call!(e5rt_e5_compiler_options_create(&raw mut options => *mut P));
    let options = Owned::new(options, "e5rt_e5_compiler_options_release");
    call!(e5rt_e5_compiler_options_set_compute_device_types_mask(options.0 => P, mask => u64));
    call!(e5rt_e5_compiler_options_set_force_recompilation(options.0 => P, 1 => c_int));
    call!(e5rt_e5_compiler_options_set_segmenter(options.0 => P, c"graph".as_ptr() => *const c_char));
    if let Some(custom) = custom {
        let custom = c(custom);
        call!(e5rt_e5_compiler_options_set_custom_ane_compiler_options(options.0 => P, custom.as_ptr() => *const c_char));
    }
    let status = call!(e5rt_e5_compiler_compile(
        compiler.0 => P, mil.as_ptr() => *const c_char, options.0 => P, &raw mut library => *mut P));
    match status {
        0 => Ok(Owned::new(library, "e5rt_program_library_release")),
        status => Err(status),
    }
}

/// A program of our own compiled for the Neural Engine.
pub(crate) fn library(text: &str, folder: &Folder) -> Owned {
    compile(text, 4, None, folder).unwrap_or_else(|status| panic!("{status}: {}", last_error()))
}

pub(crate) fn function(library: &Owned) -> Owned {
    let mut function = null_mut();
    let status = call!(e5rt_program_library_retain_program_function(
        library.0 => P, c"main".as_ptr() => *const c_char, &raw mut function => *mut P));
    assert_eq!(status, 0, "{}", last_error());
    Owned::new(function, "e5rt_program_function_release")
}

/// An operation of a library's `main`; the status if it is refused.
pub(crate) fn operation(library: &Owned) -> Result<Owned, c_int> {
    let function = function(library);
    let (mut options, mut op) = (null_mut(), null_mut());
    call!(e5rt_precompiled_compute_op_create_options_create_with_program_function(
        &raw mut options => *mut P, function.0 => P));
    let options = Owned::new(options, "e5rt_precompiled_compute_op_create_options_release");
    call!(e5rt_precompiled_compute_op_create_options_set_operation_name(
        options.0 => P, c"main".as_ptr() => *const c_char));
    call!(e5rt_precompiled_compute_op_create_options_set_allocate_intermediate_buffers(options.0 => P, 1 => c_int));
    let status = call!(e5rt_execution_stream_operation_create_precompiled_compute_operation_with_options(
        &raw mut op => *mut P, options.0 => P));
    match status {
        0 => Ok(Owned::new(op, "e5rt_execution_stream_operation_release")),
        status => Err(status),
    }
}

pub(crate) fn buffer(bytes: u64, kind: u32) -> Result<Owned, c_int> {
    let mut buffer = null_mut();
    match call!(e5rt_buffer_object_alloc(&raw mut buffer => *mut P, bytes => u64, kind => u32)) {
        0 => Ok(Owned::new(buffer, "e5rt_buffer_object_release")),
        status => Err(status),
    }
}

pub(crate) fn data(buffer: &Owned) -> *mut u8 {
    let mut data: *mut c_void = null_mut();
    assert_eq!(call!(e5rt_buffer_object_get_data_ptr(buffer.0 => P, &raw mut data => *mut *mut c_void)), 0);
    data.cast()
}

pub(crate) fn port(op: &Owned, name: &str) -> Owned {
    let (text, mut port) = (c(name), null_mut());
    let args = (op.0, text.as_ptr());
    let status = match name {
        "x" => call!(e5rt_execution_stream_operation_retain_input_port(
            args.0 => P, args.1 => *const c_char, &raw mut port => *mut P)),
        _ => call!(e5rt_execution_stream_operation_retain_output_port(
            args.0 => P, args.1 => *const c_char, &raw mut port => *mut P)),
    };
    assert_eq!(status, 0, "{}", last_error());
    Owned::new(port, "e5rt_io_port_release")
}

pub(crate) fn bind(port: &Owned, buffer: &Owned) -> c_int {
    call!(e5rt_io_port_bind_buffer_object(port.0 => P, buffer.0 => P))
}

/// An operation from `x` to `y`, both fp16 in one row of three, bound to buffers of 64 bytes.
pub(crate) struct Op {
    pub(crate) x: Owned,
    pub(crate) y: Owned,
    pub(crate) op: Owned,
    _folder: Folder,
}

impl Op {
    pub(crate) fn new(body: &str) -> Op {
        let folder = Folder::new();
        let library = library(&source(RELU.0, body, "y"), &folder);
        let op = operation(&library).unwrap_or_else(|status| panic!("{status}: {}", last_error()));
        let (x, y) = (buffer(64, 0).unwrap(), buffer(64, 0).unwrap());
        assert_eq!((bind(&port(&op, "x"), &x), bind(&port(&op, "y"), &y)), (0, 0));
        Op { x, y, op, _folder: folder }
    }

    pub(crate) fn relu() -> Op {
        Op::new(RELU.1)
    }

    fn buffer(&self, name: &str) -> &Owned {
        if name == "x" { &self.x } else { &self.y }
    }

    pub(crate) fn set(&self, name: &str, values: &[f32; 3]) {
        let bytes: Vec<u8> = values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect();
        // SAFETY: 64 bytes, and nothing runs.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), data(self.buffer(name)), bytes.len()) };
    }

    pub(crate) fn get(&self, name: &str) -> [f32; 3] {
        // SAFETY: 64 bytes, and nothing runs.
        let bytes = unsafe { std::slice::from_raw_parts(data(self.buffer(name)), 6) };
        [0, 2, 4].map(|i| f16::from_le_bytes([bytes[i], bytes[i + 1]]).to_f32())
    }
}

pub(crate) fn stream() -> Owned {
    let mut stream = null_mut();
    assert_eq!(call!(e5rt_execution_stream_create(&raw mut stream => *mut P)), 0);
    Owned::new(stream, "e5rt_execution_stream_release")
}

pub(crate) fn encode(stream: &Owned, op: P) -> c_int {
    call!(e5rt_execution_stream_encode_operation(stream.0 => P, op => P))
}

pub(crate) fn execute(stream: &Owned) -> c_int {
    call!(e5rt_execution_stream_execute_sync(stream.0 => P))
}

/// Runs operations in a stream of their own; the first status that is not 0.
pub(crate) fn run(ops: &[&Op]) -> c_int {
    let stream = stream();
    let statuses = ops.iter().map(|op| encode(&stream, op.op.0));
    statuses.chain([0]).find(|s| *s != 0).unwrap_or_else(|| execute(&stream))
}

/// An event; the status if it is refused.
pub(crate) fn event(name: *const c_char, third: u32) -> Result<Owned, c_int> {
    let mut event = null_mut();
    match call!(e5rt_async_event_create(&raw mut event => *mut P, name => *const c_char, third => u32)) {
        0 => Ok(Owned::new(event, "e5rt_async_event_release")),
        status => Err(status),
    }
}

/// A static block: flags, a function, no captures.
#[repr(C)]
pub(crate) struct Block {
    isa: *const c_void,
    flags: i32,
    reserved: i32,
    invoke: extern "C-unwind" fn(*mut Block) -> c_int,
    descriptor: *const c_void,
}

/// How often the block was called.
pub(crate) static CALLS: AtomicUsize = AtomicUsize::new(0);

extern "C-unwind" fn count(_: *mut Block) -> c_int {
    CALLS.fetch_add(1, Ordering::SeqCst);
    0
}

/// A global block that counts its calls, leaked.
pub(crate) fn block() -> *mut c_void {
    let null = std::ptr::null();
    let block = Block { isa: null, flags: 1 << 28, reserved: 0, invoke: count, descriptor: null };
    Box::into_raw(Box::new(block)).cast()
}

pub(crate) fn submit(stream: &Owned) -> c_int {
    call!(e5rt_execution_stream_submit_async(stream.0 => P, block() => *mut c_void))
}

/// Waits until the block was called `n` times since `before`. Whether it was, within half a second.
pub(crate) fn called(before: usize, n: usize) -> bool {
    for _ in 0..50 {
        if CALLS.load(Ordering::SeqCst) >= before + n {
            return true;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    false
}
