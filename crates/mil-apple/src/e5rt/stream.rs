//! Operations in order on shared buffers, run with one call (calls 11 to 26).

use super::api::Api;
use super::boundary::{self, Boundary};
use super::buffer::Buffer;
use super::compile::{Program, setup};
use super::event::Event;
use super::handle::{Handle, c_string};
use super::layout::Layout;
use super::pending::{self, Pending};
use crate::codes;
use crate::error::BridgeError;
use crate::poison;
use crate::ports::Port;
use bytes::Bytes;
use mil_base::Tensor;
use std::sync::Arc;

/// An operation of a [`Stream`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct OperationId(usize);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Input,
    Output,
    State,
}

/// A port with its place in memory.
#[derive(Debug)]
struct Bound {
    kind: Kind,
    /// As the caller knows it.
    outer: Port,
    /// As the compiled program does.
    inner: Port,
    layout: Layout,
    handle: Handle,
    buffer: usize,
    /// What reading gives while nothing was written; empty for what is no output of its own.
    poison: Vec<u8>,
}

#[derive(Debug)]
struct Operation {
    ports: Vec<Bound>,
    /// Kept until the operation is gone.
    events: Vec<Arc<Event>>,
    handle: Handle,
    _function: Handle,
    /// Last: the library outlives all that came of it.
    _program: Arc<Program>,
}

/// Operations that are being put together. Which buffers they share is decided here: encoding freezes it.
#[derive(Debug)]
pub struct Draft {
    // The order of fields is the order of release.
    buffers: Vec<Option<Buffer>>,
    operations: Vec<Operation>,
    api: Arc<Api>,
}

/// Operations that run in the order in which they were added, again and again.
#[derive(Debug)]
pub struct Stream {
    // The order of fields is the order of release.
    stream: Handle,
    buffers: Vec<Buffer>,
    operations: Vec<Operation>,
    api: Arc<Api>,
    /// The call that ran it last.
    ran: &'static str,
}

fn unknown(port: &str, among: &[Bound]) -> BridgeError {
    let names: Vec<&str> = among.iter().map(|b| b.outer.name.as_str()).collect();
    BridgeError::refused(
        codes::UNSUPPORTED,
        format!("the operation has no such port `{port}`"),
        format!("its ports are {}", names.join(", ")),
    )
}

fn foreign() -> BridgeError {
    BridgeError::refused(
        codes::UNSUPPORTED,
        "the operation belongs to another stream",
        "use the number that this draft's `add` gave",
    )
}

impl Draft {
    /// No operation yet.
    pub fn new(api: &Arc<Api>) -> Draft {
        Draft { buffers: Vec::new(), operations: Vec::new(), api: api.clone() }
    }

    /// Adds a function of a program (the default one for `None`), each port with a zeroed buffer of its own.
    ///
    /// Errors: no such function; a port whose layout makes no sense; more programs than the system loads at a time (about 128).
    pub fn add(
        &mut self,
        program: &Arc<Program>,
        function: Option<&str>,
    ) -> Result<OperationId, BridgeError> {
        let _turn = setup();
        let boundary = program.function(function)?;
        let (function, handle) = operation(&self.api, program, boundary)?;
        let mut ports = Vec::new();
        let Boundary { ports: outer, inner } = boundary;
        let groups = [
            (Kind::Input, &outer.inputs, &inner.inputs),
            (Kind::Output, &outer.outputs, &inner.outputs),
            (Kind::State, &outer.states, &inner.states),
        ];
        for (kind, outer, inner) in groups {
            for (outer, inner) in outer.iter().zip(inner) {
                let port = retain(&self.api, &handle, kind, inner)?;
                let layout = Layout::of(&self.api, port.raw(), inner)?;
                let buffer = Buffer::new(&self.api, layout.bytes)?;
                let poison = match kind {
                    Kind::Output => poisoned(&layout),
                    _ => Vec::new(),
                };
                ports.push(Bound {
                    kind,
                    outer: outer.clone(),
                    inner: inner.clone(),
                    layout,
                    handle: port,
                    buffer: self.buffers.len(),
                    poison,
                });
                self.buffers.push(Some(buffer));
            }
        }
        let program = program.clone();
        self.operations.push(Operation {
            ports,
            events: Vec::new(),
            handle,
            _function: function,
            _program: program,
        });
        Ok(OperationId(self.operations.len() - 1))
    }

    fn port(
        &self,
        operation: OperationId,
        name: &str,
        kinds: &[Kind],
    ) -> Result<(usize, &Bound), BridgeError> {
        let ports = &self.operations.get(operation.0).ok_or_else(foreign)?.ports;
        let found = ports.iter().enumerate().find(|(_, b)| b.outer.name == *name && kinds.contains(&b.kind));
        found.ok_or_else(|| unknown(name, ports))
    }

    /// Lets an input be the output of an operation: one buffer for both, nothing is copied.
    ///
    /// To an operation added later, that hands a result on within a run. To the same one or an earlier, the input is what the
    /// last run left: resident state, which starts as zero or as [`Stream::write`] sets it. Such an output is not poisoned, so a
    /// run that writes nothing is not noticed from it.
    ///
    /// Errors: no such port; ports that differ in type, shape or layout.
    pub fn connect(&mut self, from: (OperationId, &str), to: (OperationId, &str)) -> Result<(), BridgeError> {
        let (source, given) = self.port(from.0, from.1, &[Kind::Output])?;
        let (sink, taken) = self.port(to.0, to.1, &[Kind::Input])?;
        if given.inner.dtype != taken.inner.dtype
            || given.inner.shape != taken.inner.shape
            || given.layout != taken.layout
        {
            return Err(BridgeError::refused(
                codes::UNSUPPORTED,
                format!(
                    "`{}` ({} {:?}) and `{}` ({} {:?}) cannot share a buffer",
                    from.1, given.inner.dtype, given.inner.shape, to.1, taken.inner.dtype, taken.inner.shape
                ),
                "connect ports of one type and shape",
            ));
        }
        let (kept, dropped) = (given.buffer, taken.buffer);
        let resident = to.0.0 <= from.0.0;
        self.operations[to.0.0].ports[sink].buffer = kept;
        if resident {
            self.operations[from.0.0].ports[source].poison.clear();
        }
        let used = self.operations.iter().flat_map(|o| &o.ports).any(|b| b.buffer == dropped);
        if !used && let Some(slot) = self.buffers.get_mut(dropped) {
            *slot = None;
        }
        Ok(())
    }

    /// The event is told when the operation is done, in a submitted run.
    pub fn tell(&mut self, operation: OperationId, event: &Arc<Event>) -> Result<(), BridgeError> {
        let Some(op) = self.operations.get_mut(operation.0) else { return Err(foreign()) };
        // SAFETY: a live operation and a live event, which is kept as long.
        unsafe {
            self.api
                .e5rt_execution_stream_operation_bind_completion_event(op.handle.raw(), event.handle.raw())?;
        }
        op.events.push(event.clone());
        Ok(())
    }

    /// In a submitted run the operation begins only after the events have reached their future values.
    pub fn wait_for(&mut self, operation: OperationId, events: &[Arc<Event>]) -> Result<(), BridgeError> {
        let Some(op) = self.operations.get_mut(operation.0) else { return Err(foreign()) };
        let handles: Vec<_> = events.iter().map(|e| e.handle.raw()).collect();
        let (first, n) = (handles.as_ptr(), handles.len() as u64);
        // SAFETY: a live operation and live events, which are kept as long.
        unsafe { self.api.e5rt_execution_stream_operation_bind_dependent_events(op.handle.raw(), first, n)? };
        op.events.extend(events.iter().cloned());
        Ok(())
    }

    /// Binds the buffers and encodes the operations, in order.
    pub fn encode(self) -> Result<Stream, BridgeError> {
        let Draft { buffers, operations, api } = self;
        let mut places = vec![None; buffers.len()];
        let mut kept = Vec::new();
        for (place, buffer) in places.iter_mut().zip(buffers) {
            if let Some(buffer) = buffer {
                *place = Some(kept.len());
                kept.push(buffer);
            }
        }
        let stream = Handle::new("e5rt_execution_stream_create", api.e5rt_execution_stream_release, |out| {
            // SAFETY: an out-pointer.
            unsafe { api.e5rt_execution_stream_create(out) }
        })?;
        let ran = "e5rt_execution_stream_encode_operation";
        let mut stream = Stream { stream, buffers: kept, operations, api, ran };
        for op in &mut stream.operations {
            for port in &mut op.ports {
                let place = places.get(port.buffer).copied().flatten();
                port.buffer = place.ok_or(BridgeError::Null { call: "e5rt_buffer_object_alloc" })?;
                let buffer = stream.buffers[port.buffer].handle.raw();
                // SAFETY: a live port and a live buffer of the size its layout says.
                unsafe { stream.api.e5rt_io_port_bind_buffer_object(port.handle.raw(), buffer)? };
            }
            // SAFETY: a live stream and a live operation with every port bound.
            unsafe {
                stream.api.e5rt_execution_stream_encode_operation(stream.stream.raw(), op.handle.raw())?
            };
        }
        // Reading before the first run is reading what nothing was written to.
        stream.poison(ran);
        Ok(stream)
    }
}

impl Stream {
    fn port(&self, operation: OperationId, name: &str, kinds: &[Kind]) -> Result<&Bound, BridgeError> {
        let ports = &self.operations.get(operation.0).ok_or_else(foreign)?.ports;
        let found = ports.iter().find(|b| b.outer.name == *name && kinds.contains(&b.kind));
        found.ok_or_else(|| unknown(name, ports))
    }

    /// Sets an input or a state.
    ///
    /// Errors: no such port; a tensor of another type or shape.
    pub fn write(&mut self, operation: OperationId, port: &str, value: &Tensor) -> Result<(), BridgeError> {
        let bound = self.port(operation, port, &[Kind::Input, Kind::State])?;
        if value.dtype() != bound.outer.dtype || value.shape() != bound.outer.shape {
            return Err(BridgeError::refused(
                codes::PORT_TYPE,
                format!(
                    "`{port}` is {} {:?} but was given {}",
                    bound.outer.dtype,
                    bound.outer.shape,
                    value.ty()
                ),
                "give it the type and shape it has",
            ));
        }
        let packed = boundary::cross(value, bound.inner.dtype)?;
        let (layout, buffer) = (bound.layout.clone(), bound.buffer);
        layout.unpack(&packed, self.buffers[buffer].bytes_mut());
        Ok(())
    }

    /// What an output, an input or a state holds.
    ///
    /// Errors: no such port; `apple/nothing-written` for an output that nothing was written to in the last run.
    pub fn read(&self, operation: OperationId, port: &str) -> Result<Tensor, BridgeError> {
        let bound = self.port(operation, port, &[Kind::Output, Kind::State, Kind::Input])?;
        let packed = bound.layout.pack(self.buffers[bound.buffer].bytes());
        if !packed.is_empty() && packed == bound.poison {
            return Err(BridgeError::Untouched { output: port.to_owned(), call: self.ran });
        }
        let packed = boundary::cast(bound.inner.dtype, &packed, bound.outer.dtype)?;
        Tensor::from_bytes(bound.outer.dtype, &bound.outer.shape, Bytes::from(packed)).map_err(|e| {
            BridgeError::refused(
                codes::UNSUPPORTED,
                format!("`{port}` is no tensor: {e:?}"),
                "please report it",
            )
        })
    }

    /// Fills every output that a run must write with the pattern.
    fn poison(&mut self, call: &'static str) {
        self.ran = call;
        for bound in self.operations.iter().flat_map(|o| &o.ports).filter(|b| !b.poison.is_empty()) {
            poison::fill(self.buffers[bound.buffer].bytes_mut());
        }
    }

    /// Runs every operation, in order. Runs of a process take turns: with several streams at once the second completion
    /// was seen never to come.
    pub fn run(&mut self) -> Result<(), BridgeError> {
        self.poison("e5rt_execution_stream_execute_sync");
        let _turn = pending::turn();
        // SAFETY: a live stream, and `&mut self` keeps others off its buffers.
        unsafe { self.api.e5rt_execution_stream_execute_sync(self.stream.raw()) }
    }

    /// Begins a run and comes back at once; the stream comes back from [`Pending::wait`].
    pub fn submit(mut self) -> Result<Pending, BridgeError> {
        self.poison("e5rt_execution_stream_submit_async");
        Pending::start(self)
    }

    pub(super) fn parts(&self) -> (&Api, &Handle) {
        (&self.api, &self.stream)
    }
}

fn poisoned(layout: &Layout) -> Vec<u8> {
    let mut buffer = vec![0; layout.bytes];
    poison::fill(&mut buffer);
    layout.pack(&buffer)
}

/// The function and an operation made of it.
fn operation(api: &Api, program: &Program, boundary: &Boundary) -> Result<(Handle, Handle), BridgeError> {
    let name = c_string(boundary.ports.function.as_str())?;
    // SAFETY: live handles, a C string, out-pointers.
    unsafe {
        let function = Handle::new(
            "e5rt_program_library_retain_program_function",
            api.e5rt_program_function_release,
            |out| api.e5rt_program_library_retain_program_function(program.library.raw(), name.as_ptr(), out),
        )?;
        let options = Handle::new(
            "e5rt_precompiled_compute_op_create_options_create_with_program_function",
            api.e5rt_precompiled_compute_op_create_options_release,
            |out| {
                api.e5rt_precompiled_compute_op_create_options_create_with_program_function(
                    out,
                    function.raw(),
                )
            },
        )?;
        api.e5rt_precompiled_compute_op_create_options_set_operation_name(options.raw(), name.as_ptr())?;
        api.e5rt_precompiled_compute_op_create_options_set_allocate_intermediate_buffers(options.raw(), 1)?;
        let operation = Handle::new(
            "e5rt_execution_stream_operation_create_precompiled_compute_operation_with_options",
            api.e5rt_execution_stream_operation_release,
            |out| {
                api.e5rt_execution_stream_operation_create_precompiled_compute_operation_with_options(
                    out,
                    options.raw(),
                )
            },
        )?;
        Ok((function, operation))
    }
}

fn retain(api: &Api, operation: &Handle, kind: Kind, port: &Port) -> Result<Handle, BridgeError> {
    let name = c_string(port.name.as_str())?;
    Handle::new("e5rt_execution_stream_operation_retain_port", api.e5rt_io_port_release, |out| {
        let (op, name) = (operation.raw(), name.as_ptr());
        // SAFETY: a live operation, a C string, an out-pointer.
        unsafe {
            match kind {
                Kind::Input => api.e5rt_execution_stream_operation_retain_input_port(op, name, out),
                Kind::Output => api.e5rt_execution_stream_operation_retain_output_port(op, name, out),
                Kind::State => api.e5rt_execution_stream_operation_retain_inout_port(op, name, out),
            }
        }
    })
}
