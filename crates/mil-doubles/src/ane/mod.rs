//! The daemon behind the doubles of AppleNeuralEngine: compiled programs by name, loaded ones by handle.

mod abi;
mod layout;

use crate::behaviour;
use crate::program::{Compiled, Running};
use layout::Procedure;
use mil_base::DType;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

pub(crate) use layout::Binding;

/// Programs a process can compile; `facts/ane-facts.md` L23.
const BUDGET: u32 = 119;
/// Programs loaded at once; the same.
const LOADED: usize = 127;
/// The status for wrong surfaces.
const WRONG_SURFACE: u32 = 0x1d;
/// The status for wrong indices.
const WRONG_INDEX: u32 = 0x2;
/// No program of that handle: the error's code, as there is no status on record.
const NO_PROGRAM: u32 = 0x17;
/// The largest procedure index that a program of one procedure accepts.
const LAST_INDEX: usize = 15;

#[derive(Default)]
struct Daemon {
    compiled: HashMap<String, Arc<Compiled>>,
    loaded: HashMap<u64, Arc<Program>>,
    handles: u64,
    compiles: u32,
}

/// A loaded program.
pub(crate) struct Program {
    procedures: Vec<Procedure>,
    sessions: Vec<Mutex<Running>>,
}

fn daemon() -> MutexGuard<'static, Daemon> {
    static DAEMON: OnceLock<Mutex<Daemon>> = OnceLock::new();
    DAEMON.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// Programs this process compiled so far.
pub fn compiles() -> u32 {
    daemon().compiles
}

/// As if the process had been started anew: nothing compiled, nothing counted.
pub fn forget() {
    let mut daemon = daemon();
    daemon.compiles = 0;
    daemon.compiled.clear();
}

fn compile(name: &str, path: &Path) -> Result<(), String> {
    {
        let mut daemon = daemon();
        if daemon.compiles >= BUDGET && behaviour::is_on("ane/compile-budget") {
            return Err(format!("the process has compiled {BUDGET} programs"));
        }
        daemon.compiles += 1;
    }
    let compiled = Compiled::open(path)?;
    for f in &compiled.functions {
        if let Some(state) = f.states.first() {
            return Err(format!("`{}` is a state", state.name));
        }
        let wrong = f.inputs.iter().chain(&f.outputs).find(|p| !is_port_type(p.dtype));
        if let Some(port) = wrong.filter(|_| behaviour::is_on("ane/io-types")) {
            return Err(format!("`{}` is {}", port.name, port.dtype));
        }
    }
    daemon().compiled.insert(name.to_owned(), Arc::new(compiled));
    Ok(())
}

fn is_port_type(dtype: DType) -> bool {
    matches!(dtype, DType::Fp16 | DType::Fp32 | DType::Int8 | DType::UInt8 | DType::Int16 | DType::UInt16)
}

fn load(name: &str) -> Result<u64, String> {
    let compiled = daemon().compiled.get(name).cloned().ok_or("nothing of that name is compiled")?;
    let sessions = (0..compiled.functions.len()).map(|f| compiled.session(f).map(Mutex::new));
    let program = Program {
        procedures: Procedure::all(&compiled.functions),
        sessions: sessions.collect::<Result<_, _>>()?,
    };
    let mut daemon = daemon();
    if daemon.loaded.len() >= LOADED && behaviour::is_on("ane/load-limit") {
        return Err(format!("{LOADED} programs are loaded"));
    }
    daemon.handles += 1;
    let handle = daemon.handles;
    daemon.loaded.insert(handle, Arc::new(program));
    Ok(handle)
}

fn program(handle: u64) -> Option<Arc<Program>> {
    daemon().loaded.get(&handle).cloned()
}

/// Runs a procedure on bound surfaces; otherwise the status and why.
///
/// # Safety
/// Every binding's address is good for its bytes.
unsafe fn run(
    handle: u64,
    index: usize,
    inputs: &[Binding],
    outputs: &[Binding],
) -> Result<(), (u32, String)> {
    let program = program(handle).ok_or((NO_PROGRAM, "no program of that handle is loaded".to_owned()))?;
    let only = program.procedures.len() == 1 && index <= LAST_INDEX;
    let index = if only { 0 } else { index };
    let wrong_index = || (WRONG_INDEX, format!("no procedure {index}"));
    let procedure = program.procedures.get(index).ok_or_else(wrong_index)?;
    let inputs = procedure.inputs.bound(inputs, "ane/equal-input-sizes")?;
    let outputs = procedure.outputs.bound(outputs, "ane/equal-output-sizes")?;
    // SAFETY: as the caller promises; `bound` gives no more bytes than the binding has.
    let given: Vec<&[u8]> =
        inputs.iter().map(|(base, n)| unsafe { std::slice::from_raw_parts(*base, *n) }).collect();
    let session = program.sessions.get(index).ok_or_else(wrong_index)?;
    let results = session.lock().unwrap_or_else(PoisonError::into_inner).run(&given);
    let results = results.map_err(|text| (WRONG_SURFACE, text))?;
    if behaviour::is_on("ane/writes-outputs") {
        for (bytes, (base, n)) in results.iter().zip(&outputs) {
            // SAFETY: as above; inputs are no longer read, should they be the same memory.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), base.cast_mut(), bytes.len().min(*n)) };
        }
    }
    Ok(())
}
