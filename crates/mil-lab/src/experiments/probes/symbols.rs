//! probe-symbols: which C functions of the e5rt interface are here.

use crate::card::{Experiment, Risk, steps};

/// The card of probe-symbols.
pub static PROBE_SYMBOLS: Experiment = Experiment {
    id: "probe-symbols",
    title: "the C functions of the e5rt interface that are here",
    page: include_str!("symbols.md"),
    risk: Risk::Safe,
    steps: steps!(steps::run),
};

/// Functions of the interface without the prefix `e5rt_`: first those that a program cannot run without.
pub const NEEDED: &[&str] = &[
    "e5_compiler_config_options_create",
    "e5_compiler_config_options_set_cache_bundle_location",
    "e5_compiler_create_with_config",
    "e5_compiler_options_create",
    "e5_compiler_options_set_compute_device_types_mask",
    "e5_compiler_compile",
    "program_library_retain_program_function",
    "precompiled_compute_op_create_options_create_with_program_function",
    "precompiled_compute_op_create_options_set_operation_name",
    "precompiled_compute_op_create_options_set_allocate_intermediate_buffers",
    "execution_stream_operation_create_precompiled_compute_operation_with_options",
    "execution_stream_operation_retain_input_port",
    "execution_stream_operation_retain_output_port",
    "buffer_object_alloc",
    "buffer_object_get_data_ptr",
    "io_port_bind_buffer_object",
    "execution_stream_create",
    "execution_stream_encode_operation",
    "execution_stream_execute_sync",
];

/// Those that it is good to have, or that are known under changing names.
pub const OTHERS: &[&str] = &[
    "e5_compiler_options_set_force_recompilation",
    "e5_compiler_options_set_segmenter",
    "e5_compiler_options_set_enable_profiling",
    "e5_compiler_options_set_custom_ane_compiler_options",
    "program_library_create",
    "program_library_get_num_functions",
    "program_library_get_function_names",
    "program_function_load_for_execution",
    "program_function_retain_input_tensor_desc",
    "program_function_retain_output_tensor_desc",
    "execution_stream_operation_retain_inout_port",
    "execution_stream_operation_bind_completion_event",
    "execution_stream_operation_bind_dependent_events",
    "execution_stream_operation_prepare_op_for_encode",
    "execution_stream_submit_async",
    "execution_stream_async_submit",
    "execution_stream_reset",
    "async_event_create",
    "async_event_sync_wait",
    "async_event_signal",
    "async_event_get_last_signaled_value",
    "async_event_set_active_future_value",
    "buffer_object_create_from_iosurface",
    "buffer_object_create_from_data_pointer",
    "io_port_is_tensor",
    "io_port_retain_tensor_desc",
    "tensor_desc_get_rank",
    "tensor_desc_get_dimension_length",
    "tensor_desc_get_dimension_stride",
    "tensor_desc_get_size",
    "tensor_desc_retain_dtype",
    "tensor_desc_dtype_get_element_size",
    "error_code_get_string",
    "get_last_error_message",
];

#[cfg(bridge)]
mod steps {
    use super::*;
    use crate::bench::{Bench, Stop};
    use mil_apple::symbols::{ESPRESSO, Library};

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let library = Library::open(ESPRESSO)?;
        let (mut here, mut missing) = (Vec::new(), Vec::new());
        for name in NEEDED.iter().chain(OTHERS) {
            let name = format!("e5rt_{name}");
            let list = if library.symbol(&name).is_ok() { &mut here } else { &mut missing };
            list.push(name);
        }
        let needed = |n: &&String| NEEDED.iter().any(|known| n.strip_prefix("e5rt_") == Some(known));
        bench.found("needed functions", here.iter().filter(needed).count());
        bench.found("functions found", here.len());
        bench.found("functions missing", missing.join(", "));
        bench.dump("symbols", here);
        Ok(())
    }
}
