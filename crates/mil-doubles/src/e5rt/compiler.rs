//! Calls 1 to 10: a configuration, a compiler, options, a compiled library in a bundle on disk.

use super::call::calls;
use super::handle::{Fault, Handle, Object, check_out, get, give, is_handle, put, release, text};
use super::library::{Backend, Library};
use crate::behaviour;
use crate::program::{Compiled, Port};
use mil_base::DType;
use std::ffi::{c_char, c_int};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The chip that the double plays.
pub const CHIP: &str = "h16g";

/// Ops that no path to the Neural Engine takes: not implemented in the sweep over 166 ops, or control flow
/// (`facts/ane-facts.md` O27 to O29 and 3.3). `cast` is in the sweep's list and left out: two packages use it, and the sweep means a cast to int32.
pub const REFUSED: &[&str] = &[
    "acos",
    "asin",
    "atanh",
    "band_part",
    "cond",
    "cosh",
    "crop_resize",
    "cumsum",
    "gather",
    "gather_along_axis",
    "gather_nd",
    "gru",
    "list_gather",
    "list_length",
    "list_read",
    "list_scatter",
    "list_write",
    "logical_and",
    "logical_or",
    "logical_xor",
    "lstm",
    "make_list",
    "mod",
    "non_zero",
    "one_hot",
    "random_bernoulli",
    "random_categorical",
    "random_normal",
    "random_uniform",
    "reduce_argmax",
    "reduce_argmin",
    "reduce_prod",
    "reverse_sequence",
    "rnn",
    "scatter",
    "scatter_along_axis",
    "scatter_nd",
    "shape",
    "sinh",
    "slice_update",
    "sliding_windows",
    "tan",
    "while_loop",
];

const ANE: u64 = 4;
const CPU: u64 = 1;
const ALL: u64 = 7;

#[derive(Default)]
pub(super) struct Config {
    cache: Mutex<Option<PathBuf>>,
}

pub(super) struct Compiler {
    config: Option<Arc<Config>>,
}

pub(super) struct Options {
    set: Mutex<Set>,
}

#[derive(Clone)]
struct Set {
    mask: u64,
    chip: Option<String>,
}

impl Object for Config {
    const KIND: &'static str = "config options";
}
impl Object for Compiler {
    const KIND: &'static str = "compiler";
}
impl Object for Options {
    const KIND: &'static str = "compiler options";
}

impl Options {
    fn set(&self) -> MutexGuard<'_, Set> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why the Neural Engine does not take the program.
fn refusal(compiled: &Compiled) -> Option<String> {
    let program = compiled.checked().program();
    let ops = program.functions.iter().flat_map(|(_, f)| f.ops.iter().map(|(_, op)| op));
    let op = ops.into_iter().find(|op| REFUSED.contains(&op.name.as_str()));
    if let Some(op) = op {
        return Some(format!("double: `{}` has no implementation on the requested devices", op.name));
    }
    if !behaviour::is_on("e5rt/io-types") {
        return None;
    }
    let taken = [DType::Fp16, DType::Int8, DType::UInt8, DType::Int16, DType::UInt16];
    let ports = compiled.functions.iter().flat_map(|f| f.inputs.iter().chain(&f.outputs).chain(&f.states));
    let wrong = ports.into_iter().find(|p: &&Port| !taken.contains(&p.dtype))?;
    Some(format!(
        "double: `{}` is {} at the boundary of an operation for the requested devices",
        wrong.name, wrong.dtype
    ))
}

fn backend(compiled: &Compiled, mask: u64) -> Result<Backend, Fault> {
    if mask == 0 || mask > ALL {
        return Err(Fault::argument("double: no such device"));
    }
    let other = if mask & CPU != 0 { Backend::Bnns } else { Backend::MpsGraph };
    if mask & ANE == 0 {
        return Ok(other);
    }
    match refusal(compiled) {
        None => Ok(Backend::Ane),
        Some(_) if mask == ANE && !behaviour::is_on("e5rt/mask-4-refuses") => Ok(Backend::Bnns),
        Some(why) if mask == ANE || !behaviour::is_on("e5rt/mask-7-falls-back") => Err(Fault::operation(why)),
        Some(_) => Ok(other),
    }
}

fn compile(compiler: &Compiler, options: &Options, path: &Path) -> Result<Library, Fault> {
    let compiled =
        Compiled::open(path).map_err(|why| Fault::operation(format!("double: cannot compile: {why}")))?;
    if !behaviour::is_on("e5rt/states-are-inout") && compiled.functions.iter().any(|f| !f.states.is_empty()) {
        return Err(Fault::operation("double: read_state has no implementation"));
    }
    let set = options.set().clone();
    let backend = backend(&compiled, set.mask)?;
    let asked = set.chip.filter(|_| !behaviour::is_on("e5rt/target-architecture-ignored"));
    let chip = asked.unwrap_or_else(|| CHIP.to_owned());
    let library = Library::new(compiled, backend, chip);
    let cache =
        compiler.config.as_ref().map(|c| c.cache.lock().unwrap_or_else(PoisonError::into_inner).clone());
    if let Some(Some(cache)) = cache {
        library
            .write_bundle(path, &cache)
            .map_err(|e| Fault::operation(format!("double: no bundle: {e}")))?;
    }
    Ok(library)
}

calls! {
    fn e5rt_e5_compiler_config_options_create(out: *mut Handle) {
        // SAFETY: an out-pointer.
        unsafe { give(out, Arc::new(Config::default())) }
    }

    fn e5rt_e5_compiler_config_options_set_cache_bundle_location(config: Handle, folder: *const c_char) {
        let config = get::<Config>(config)?;
        // SAFETY: a C string.
        let folder = PathBuf::from(unsafe { text(folder) }?);
        *config.cache.lock().unwrap_or_else(PoisonError::into_inner) = Some(folder);
        Ok(())
    }

    fn e5rt_e5_compiler_config_options_release(config: *mut Handle) {
        // SAFETY: the address of a handle.
        unsafe { release::<Config>(config) }.map(drop)
    }

    fn e5rt_e5_compiler_create_with_config(out: *mut Handle, config: Handle) {
        let config = match get::<Config>(config) {
            Ok(config) => Some(config),
            Err(_) if config.is_null() && !behaviour::is_on("e5rt/config-required") => None,
            Err(fault) => return Err(fault),
        };
        // SAFETY: an out-pointer.
        unsafe { give(out, Arc::new(Compiler { config })) }
    }

    fn e5rt_e5_compiler_release(compiler: *mut Handle) {
        // SAFETY: the address of a handle.
        unsafe { release::<Compiler>(compiler) }.map(drop)
    }

    fn e5rt_e5_compiler_options_create(out: *mut Handle) {
        let options = Options { set: Mutex::new(Set { mask: ALL, chip: None }) };
        // SAFETY: an out-pointer.
        unsafe { give(out, Arc::new(options)) }
    }

    fn e5rt_e5_compiler_options_set_compute_device_types_mask(options: Handle, mask: u64) {
        get::<Options>(options)?.set().mask = mask;
        Ok(())
    }

    fn e5rt_e5_compiler_options_get_compute_device_types_mask(options: Handle, out: *mut u64) {
        let mask = get::<Options>(options)?.set().mask;
        // SAFETY: an out-pointer.
        unsafe { put(out, mask) }
    }

    fn e5rt_e5_compiler_options_set_force_recompilation(options: Handle, _force: c_int) {
        get::<Options>(options).map(drop)
    }

    fn e5rt_e5_compiler_options_set_segmenter(options: Handle, name: *const c_char) {
        get::<Options>(options)?;
        // SAFETY: a C string.
        match unsafe { text(name) }? {
            "graph" => Ok(()),
            other => Err(Fault::argument(format!("double: no segmenter `{other}`"))),
        }
    }

    fn e5rt_e5_compiler_options_set_enable_profiling(options: Handle, _enable: c_int) {
        get::<Options>(options).map(drop)
    }

    fn e5rt_e5_compiler_options_set_custom_ane_compiler_options(options: Handle, list: *const c_char) {
        let options = get::<Options>(options)?;
        // SAFETY: a C string.
        let list = unsafe { text(list) }?;
        let chip = list.split_whitespace().find_map(|o| o.strip_prefix("TargetArchitecture="));
        options.set().chip = chip.map(str::to_owned);
        Ok(())
    }

    fn e5rt_e5_compiler_options_release(options: *mut Handle) {
        // SAFETY: the address of a handle.
        unsafe { release::<Options>(options) }.map(drop)
    }

    fn e5rt_e5_compiler_compile(compiler: Handle, path: *const c_char, options: Handle, out: *mut Handle) {
        let (compiler, options) = (get::<Compiler>(compiler)?, get::<Options>(options)?);
        // SAFETY: a C string and an out-pointer.
        let path = unsafe {
            check_out(out.cast())?;
            text(path)?
        };
        let library = compile(&compiler, &options, Path::new(path))?;
        // SAFETY: an out-pointer.
        unsafe { give(out, Arc::new(library)) }
    }

    fn e5rt_program_library_create(out: *mut Handle, path: *const c_char) {
        // The other order of arguments has a null pointer, that is an empty text, where the path is expected.
        let swapped = is_handle(path.cast()) || path.is_null();
        // SAFETY: a C string.
        let path = if swapped { "" } else { unsafe { text(path)? } };
        let library = Library::open_bundle(Path::new(path))?;
        // SAFETY: an out-pointer.
        unsafe { give(out, Arc::new(library)) }
    }
}
