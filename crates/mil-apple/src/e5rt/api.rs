//! The calls, by name, with their signatures.

use crate::error::BridgeError;
use crate::symbols::{ESPRESSO, Library};
use mil_ane::errors::{self, Domain};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::transmute_copy;
use std::ptr::NonNull;
use std::sync::Arc;

/// What the calls pass for an object.
pub(super) type Raw = *mut c_void;
/// Releases take the address of the handle.
pub(super) type Release = unsafe extern "C-unwind" fn(*mut Raw) -> c_int;

/// The address of a function as a pointer of type `F`.
///
/// # Safety
/// `F` is the type of a function pointer, and that of the function at the address.
unsafe fn typed<F: Copy>(address: NonNull<c_void>) -> F {
    const { assert!(size_of::<F>() == size_of::<NonNull<c_void>>()) };
    // SAFETY: of one size, as just asserted; the rest is the caller's promise.
    unsafe { transmute_copy(&address) }
}

/// Declares the calls: a field with the address, and a method that turns the status into a result.
macro_rules! calls {
    (
        required { $($name:ident($($arg:ident: $ty:ty),* $(,)?);)* }
        releases { $($release:ident;)* }
        optional { $($maybe:ident($($maybe_arg:ident: $maybe_ty:ty),* $(,)?);)* }
        optional releases { $($maybe_release:ident;)* }
    ) => {
        /// The functions of the library.
        pub struct Api {
            last_error: Option<unsafe extern "C-unwind" fn() -> *const c_char>,
            library: Library,
            $(pub(super) $name: unsafe extern "C-unwind" fn($($ty),*) -> c_int,)*
            $(pub(super) $release: Release,)*
            $(pub(super) $maybe_release: Option<Release>,)*
            $($maybe: Option<unsafe extern "C-unwind" fn($($maybe_ty),*) -> c_int>,)*
        }

        impl Api {
            /// Looks every function up.
            ///
            /// Errors: the library does not load, or lacks a function that nothing can be done without.
            pub fn load() -> Result<Arc<Api>, BridgeError> {
                let library = Library::open(ESPRESSO)?;
                let last_error = library.symbol("e5rt_get_last_error_message").ok();
                // SAFETY: each function is called with the types its sources agree on (section 4 of the fact sheet).
                unsafe {
                    Ok(Arc::new(Api {
                        last_error: last_error.map(|f| typed(f)),
                        library,
                        $($name: typed(library.symbol(stringify!($name))?),)*
                        $($release: typed(library.symbol(stringify!($release))?),)*
                        $($maybe_release: library.symbol(stringify!($maybe_release)).ok().map(|f| typed(f)),)*
                        $($maybe: library.symbol(stringify!($maybe)).ok().map(|f| typed(f)),)*
                    }))
                }
            }

            $(pub(super) unsafe fn $name(&self, $($arg: $ty),*) -> Result<(), BridgeError> {
                // SAFETY: as the caller promises.
                self.check(stringify!($name), unsafe { (self.$name)($($arg),*) })
            })*

            $(pub(super) unsafe fn $maybe(&self, $($maybe_arg: $maybe_ty),*) -> Result<(), BridgeError> {
                let Some(call) = self.$maybe else {
                    return Err(self.library.missing(stringify!($maybe)));
                };
                // SAFETY: as the caller promises.
                self.check(stringify!($maybe), unsafe { call($($maybe_arg),*) })
            })*
        }
    };
}

calls! {
    required {
    e5rt_e5_compiler_config_options_create(out: *mut Raw);
    e5rt_e5_compiler_config_options_set_cache_bundle_location(config: Raw, folder: *const c_char);
    e5rt_e5_compiler_create_with_config(out: *mut Raw, config: Raw);
    e5rt_e5_compiler_options_create(out: *mut Raw);
    e5rt_e5_compiler_options_set_compute_device_types_mask(options: Raw, mask: u64);
    e5rt_e5_compiler_options_set_force_recompilation(options: Raw, force: c_int);
    e5rt_e5_compiler_options_set_segmenter(options: Raw, name: *const c_char);
    e5rt_e5_compiler_compile(compiler: Raw, path: *const c_char, options: Raw, out: *mut Raw);
    e5rt_program_library_retain_program_function(library: Raw, name: *const c_char, out: *mut Raw);
    e5rt_precompiled_compute_op_create_options_create_with_program_function(out: *mut Raw, function: Raw);
    e5rt_precompiled_compute_op_create_options_set_operation_name(options: Raw, name: *const c_char);
    e5rt_precompiled_compute_op_create_options_set_allocate_intermediate_buffers(options: Raw, on: c_int);
    e5rt_execution_stream_operation_create_precompiled_compute_operation_with_options(out: *mut Raw, options: Raw);
    e5rt_execution_stream_operation_retain_input_port(operation: Raw, name: *const c_char, out: *mut Raw);
    e5rt_execution_stream_operation_retain_output_port(operation: Raw, name: *const c_char, out: *mut Raw);
    e5rt_io_port_bind_buffer_object(port: Raw, buffer: Raw);
    e5rt_buffer_object_alloc(out: *mut Raw, bytes: u64, kind: u32);
    e5rt_buffer_object_get_data_ptr(buffer: Raw, out: *mut Raw);
    e5rt_execution_stream_create(out: *mut Raw);
    e5rt_execution_stream_encode_operation(stream: Raw, operation: Raw);
    e5rt_execution_stream_execute_sync(stream: Raw);
    }
    releases {
    e5rt_e5_compiler_config_options_release;
    e5rt_e5_compiler_release;
    e5rt_e5_compiler_options_release;
    e5rt_program_library_release;
    e5rt_program_function_release;
    e5rt_precompiled_compute_op_create_options_release;
    e5rt_execution_stream_operation_release;
    e5rt_io_port_release;
    e5rt_buffer_object_release;
    e5rt_execution_stream_release;
    }
    optional {
    e5rt_e5_compiler_options_get_compute_device_types_mask(options: Raw, out: *mut u64);
    e5rt_execution_stream_operation_retain_inout_port(operation: Raw, name: *const c_char, out: *mut Raw);
    e5rt_execution_stream_operation_bind_completion_event(operation: Raw, event: Raw);
    e5rt_execution_stream_operation_bind_dependent_events(operation: Raw, events: *const Raw, n: u64);
    e5rt_execution_stream_submit_async(stream: Raw, block: Raw);
    e5rt_io_port_retain_tensor_desc(port: Raw, out: *mut Raw);
    e5rt_tensor_desc_get_rank(desc: Raw, out: *mut u64);
    e5rt_tensor_desc_get_dimension_length(desc: Raw, axis: u64, out: *mut u64);
    e5rt_tensor_desc_get_dimension_stride(desc: Raw, axis: u64, out: *mut u64);
    e5rt_tensor_desc_get_size(desc: Raw, out: *mut u64);
    e5rt_tensor_desc_retain_dtype(desc: Raw, out: *mut Raw);
    e5rt_tensor_desc_dtype_get_element_size(dtype: Raw, out: *mut u64);
    e5rt_async_event_create(out: *mut Raw, name: *const c_char, reserved: u32);
    e5rt_async_event_signal(event: Raw, value: u64);
    e5rt_async_event_sync_wait(event: Raw, value: u64, timeout_ns: u64);
    e5rt_async_event_get_last_signaled_value(event: Raw, out: *mut u64);
    e5rt_async_event_set_active_future_value(event: Raw, value: u64);
    }    optional releases {
    e5rt_tensor_desc_release;
    e5rt_tensor_desc_dtype_release;
    e5rt_async_event_release;
    }
}

/// What a status means.
fn meaning(status: c_int) -> &'static str {
    errors::lookup(Domain::E5rt, i64::from(status)).map_or("a status that nobody has documented", |e| e.name)
}

impl Api {
    /// Can ports be asked for their layout?
    pub(super) fn describes_ports(&self) -> bool {
        self.e5rt_io_port_retain_tensor_desc.is_some()
            && self.e5rt_tensor_desc_get_dimension_stride.is_some()
            && self.e5rt_tensor_desc_release.is_some()
            && self.e5rt_tensor_desc_dtype_release.is_some()
    }

    /// How descriptions of ports and of their types are released.
    pub(super) fn desc_releases(&self) -> Option<(Release, Release)> {
        Some((self.e5rt_tensor_desc_release?, self.e5rt_tensor_desc_dtype_release?))
    }

    fn check(&self, call: &'static str, status: c_int) -> Result<(), BridgeError> {
        if status == 0 {
            return Ok(());
        }
        let mut text = meaning(status).to_owned();
        // SAFETY: the thread's own text, valid until its next failure, or null.
        let last = self.last_error.map(|f| unsafe { f() }).filter(|t| !t.is_null());
        // SAFETY: not null, so a C string.
        let last = last.map(|t| unsafe { CStr::from_ptr(t) }.to_string_lossy().into_owned());
        if let Some(last) = last.filter(|t| !t.is_empty()) {
            text = format!("{text}: {last}");
        }
        Err(BridgeError::Status { call, status, text })
    }
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("library", &self.library).finish_non_exhaustive()
    }
}
