//! Operations (calls 12 to 17, 22, 23, 32): a function bound to a device, with buffers bound to its ports.

use super::buffer::Buffer;
use super::call::calls;
use super::compiler::CHIP;
use super::event::Event;
use super::handle::{Fault, Handle, Object, get, give, is_handle, release, text};
use super::layout::Layout;
use super::library::Function;
use super::port::{IoPort, Kind, TensorDesc};
use crate::behaviour;
use crate::program::{Port, Running};
use std::collections::BTreeMap;
use std::ffi::{c_char, c_int};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Programs that can be loaded at a time.
const LIMIT: usize = 128;
static LOADED: AtomicUsize = AtomicUsize::new(0);

/// Programs loaded now.
pub fn loaded() -> usize {
    LOADED.load(Ordering::SeqCst)
}

pub(super) struct CreateOptions {
    function: Arc<Function>,
}

pub(super) struct Operation {
    function: Arc<Function>,
    running: Mutex<Running>,
    bound: Mutex<BTreeMap<(Kind, usize), Arc<Buffer>>>,
    /// Streams it is encoded in.
    encoded: AtomicUsize,
    pub(super) prepared: AtomicBool,
    completion: Mutex<Option<Arc<Event>>>,
    dependent: Mutex<Vec<Arc<Event>>>,
    /// Last, so that the place is free only when all else is gone.
    _place: Place,
}

/// One of the places for loaded programs.
struct Place;

impl Place {
    fn take() -> Result<Place, Fault> {
        let limited = behaviour::is_on("e5rt/loaded-limit");
        if LOADED.fetch_add(1, Ordering::SeqCst) >= LIMIT && limited {
            drop(Place);
            return Err(Fault::allocation("double: too many programs are loaded"));
        }
        Ok(Place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        LOADED.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Object for CreateOptions {
    const KIND: &'static str = "precompiled compute op create options";
}
impl Object for Operation {
    const KIND: &'static str = "execution stream operation";
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Operation {
    fn new(function: Arc<Function>) -> Result<Operation, Fault> {
        if function.library.chip != CHIP && behaviour::is_on("e5rt/chip-bound") {
            return Err(Fault::operation(format!(
                "double: the library is for {}, not for {CHIP}",
                function.library.chip
            )));
        }
        let place = Place::take()?;
        let running = function.library.compiled.session(function.index).map_err(Fault::operation)?;
        Ok(Operation {
            function,
            running: Mutex::new(running),
            bound: Mutex::default(),
            encoded: AtomicUsize::new(0),
            prepared: AtomicBool::new(false),
            completion: Mutex::default(),
            dependent: Mutex::default(),
            _place: place,
        })
    }

    fn ports(&self, kind: Kind) -> &[Port] {
        let signature = &self.function.library.compiled.functions[self.function.index];
        match kind {
            Kind::Input => &signature.inputs,
            Kind::Output => &signature.outputs,
            Kind::Inout => &signature.states,
        }
    }

    fn not_frozen(&self) -> Result<(), Fault> {
        match self.encoded.load(Ordering::SeqCst) > 0 && behaviour::is_on("e5rt/frozen-after-encode") {
            true => Err(Fault::operation("double: the operation is encoded")),
            false => Ok(()),
        }
    }

    pub(super) fn bind(&self, kind: Kind, index: usize, buffer: Arc<Buffer>) -> Result<(), Fault> {
        self.not_frozen()?;
        locked(&self.bound).insert((kind, index), buffer);
        Ok(())
    }

    /// It becomes part of a stream.
    pub(super) fn encode(&self) -> Result<(), Fault> {
        let bound = locked(&self.bound);
        for kind in [Kind::Input, Kind::Output, Kind::Inout] {
            for (i, port) in self.ports(kind).iter().enumerate() {
                if !bound.contains_key(&(kind, i)) && behaviour::is_on("e5rt/ports-bound") {
                    return Err(Fault::operation(format!("double: `{}` has no buffer", port.name)));
                }
            }
        }
        self.encoded.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// It is no longer part of a stream.
    pub(super) fn forget(&self) {
        self.encoded.fetch_sub(1, Ordering::SeqCst);
    }

    pub(super) fn completion(&self) -> Option<Arc<Event>> {
        locked(&self.completion).clone()
    }

    pub(super) fn dependent(&self) -> Vec<Arc<Event>> {
        locked(&self.dependent).clone()
    }

    /// The packed contents of the ports of a kind; unbound ones read as zero.
    fn gather(&self, kind: Kind) -> Result<Vec<Vec<u8>>, Fault> {
        let bound = locked(&self.bound);
        let contents = self.ports(kind).iter().enumerate().map(|(i, port)| match bound.get(&(kind, i)) {
            // SAFETY: callers keep away while an operation runs.
            Some(buffer) => Ok(Layout::of(port)?.pack(unsafe { buffer.memory() })),
            None => Ok(vec![0; port.bytes().unwrap_or(0)]),
        });
        contents.collect()
    }

    fn scatter(&self, kind: Kind, packed: &[impl AsRef<[u8]>]) -> Result<(), Fault> {
        let bound = locked(&self.bound);
        for (i, (port, packed)) in self.ports(kind).iter().zip(packed).enumerate() {
            if let Some(buffer) = bound.get(&(kind, i)) {
                // SAFETY: callers keep away while an operation runs.
                Layout::of(port)?.unpack(packed.as_ref(), unsafe { buffer.memory() });
            }
        }
        Ok(())
    }

    /// Runs once on what is bound.
    pub(super) fn run(&self) -> Result<(), Fault> {
        let mut running = locked(&self.running);
        for (i, state) in self.gather(Kind::Inout)?.iter().enumerate() {
            running.set_state(i, state).map_err(Fault::operation)?;
        }
        let inputs = self.gather(Kind::Input)?;
        let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
        let outputs = running.run(&inputs).map_err(Fault::operation)?;
        if behaviour::is_on("e5rt/outputs-written") {
            self.scatter(Kind::Output, &outputs)?;
        }
        let states: Vec<_> = (0..self.ports(Kind::Inout).len()).filter_map(|i| running.state(i)).collect();
        self.scatter(Kind::Inout, &states)
    }
}

/// # Safety
/// As for the calls that use it.
unsafe fn retain_port(
    operation: Handle,
    kind: Kind,
    name: *const c_char,
    out: *mut Handle,
) -> Result<(), Fault> {
    let operation = get::<Operation>(operation)?;
    // SAFETY: a C string.
    let name = unsafe { text(name) }?;
    let (index, desc) = TensorDesc::of(&operation.function, kind, name)?;
    // SAFETY: an out-pointer.
    unsafe { give(out, Arc::new(IoPort { operation, kind, index, desc })) }
}

calls! {
    fn e5rt_precompiled_compute_op_create_options_create_with_program_function(out: *mut Handle, function: Handle) {
        // The other order has the function where the out-pointer belongs.
        let swapped = is_handle(out.cast()) && !behaviour::is_on("e5rt/out-first");
        let (out, function) = if swapped { (function.cast(), out.cast()) } else { (out, function) };
        let function =
            get::<Function>(function).map_err(|_| Fault::argument("Cannot provide program function as nullptr"))?;
        // SAFETY: an out-pointer.
        unsafe { give(out, Arc::new(CreateOptions { function })) }
    }

    fn e5rt_precompiled_compute_op_create_options_set_operation_name(options: Handle, name: *const c_char) {
        get::<CreateOptions>(options)?;
        // SAFETY: a C string.
        unsafe { text(name) }.map(drop)
    }

    fn e5rt_precompiled_compute_op_create_options_set_allocate_intermediate_buffers(options: Handle, _on: c_int) {
        get::<CreateOptions>(options).map(drop)
    }

    fn e5rt_precompiled_compute_op_create_options_release(options: *mut Handle) {
        // SAFETY: the address of a handle.
        unsafe { release::<CreateOptions>(options) }.map(drop)
    }

    fn e5rt_execution_stream_operation_create_precompiled_compute_operation_with_options(
        out: *mut Handle,
        options: Handle,
    ) {
        let operation = Operation::new(get::<CreateOptions>(options)?.function.clone())?;
        // SAFETY: an out-pointer.
        unsafe { give(out, Arc::new(operation)) }
    }

    fn e5rt_execution_stream_operation_retain_input_port(op: Handle, name: *const c_char, out: *mut Handle) {
        // SAFETY: as the caller promises.
        unsafe { retain_port(op, Kind::Input, name, out) }
    }

    fn e5rt_execution_stream_operation_retain_output_port(op: Handle, name: *const c_char, out: *mut Handle) {
        // SAFETY: as the caller promises.
        unsafe { retain_port(op, Kind::Output, name, out) }
    }

    fn e5rt_execution_stream_operation_retain_inout_port(op: Handle, name: *const c_char, out: *mut Handle) {
        // SAFETY: as the caller promises.
        unsafe { retain_port(op, Kind::Inout, name, out) }
    }

    fn e5rt_execution_stream_operation_bind_completion_event(op: Handle, event: Handle) {
        let op = get::<Operation>(op)?;
        op.not_frozen()?;
        *locked(&op.completion) = Some(get::<Event>(event)?);
        Ok(())
    }

    fn e5rt_execution_stream_operation_bind_dependent_events(op: Handle, events: *const Handle, n: u64) {
        let op = get::<Operation>(op)?;
        op.not_frozen()?;
        if events.is_null() && n > 0 {
            return Err(Fault::argument("double: no events"));
        }
        // SAFETY: the caller gives `n` handles.
        let events = (0..n as usize).map(|i| get::<Event>(unsafe { *events.add(i) }));
        *locked(&op.dependent) = events.collect::<Result<_, _>>()?;
        Ok(())
    }

    fn e5rt_execution_stream_operation_prepare_op_for_encode(op: Handle) {
        get::<Operation>(op)?.prepared.store(true, Ordering::SeqCst);
        Ok(())
    }

    fn e5rt_execution_stream_operation_release(op: *mut Handle) {
        // SAFETY: the address of a handle.
        unsafe { release::<Operation>(op) }.map(drop)
    }
}
