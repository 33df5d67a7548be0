//! Streams of operations by hand: the research's experiments U, V, W1, W4 and W5 (`facts/ane-facts.md` 1.3 and 2).

use super::Library;
use super::opaque::{Operation, Stream};
use crate::coreml::ports::Ports;
use crate::coreml::predict::{Backings, poisoned};
use crate::coreml::{array, features};
use crate::error::BridgeError;
use crate::objc::field::field;
use crate::objc::{AnyObject, Obj, Raised, Shared, alloc, guarded, make, ns, outcome, probe};
use crate::{send, tell};
use block2::RcBlock;
use mil_base::{Name, Tensor};
use mil_run::Named;
use objc2::rc::Retained;
use objc2::runtime::{Imp, Sel};
use std::ffi::{c_uchar, c_void};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// What an operation in the stream is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Handle {
    /// Prepared by itself, so that it has a handle to a compiled operation.
    Real,
    /// Fabricated: never prepared, its handle is 0.
    Zero,
}

/// Whether to submit the stream asynchronously, and when.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Submit {
    /// Only execute it.
    #[default]
    No,
    /// In place of executing it.
    Fresh,
    /// After it was executed: documented to fail with "Reset stream to add more operations" (experiment W4).
    Used,
    /// After it was executed and reset, with its operations put in and prepared again.
    AfterReset,
}

/// How a stream is driven.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamOptions {
    /// How often it is executed, for times; at least once.
    pub repeats: usize,
    /// Whose arrays outputs are written into.
    pub backings: Backings,
    /// Whether it is submitted too.
    pub submit: Submit,
}

impl Default for StreamOptions {
    /// Once, into poisoned arrays of ours, without submission.
    fn default() -> Self {
        StreamOptions { repeats: 1, backings: Backings::Ours, submit: Submit::No }
    }
}

/// What is in an output after a run.
#[derive(Clone, PartialEq, Debug)]
pub enum Content {
    /// Values, not all of them zero.
    Values(Tensor),
    /// Nothing but zeros, which is what an array holds that nothing was written to.
    Zeros(Tensor),
    /// The poison pattern: nothing was written.
    Untouched,
    /// The operation has no such output.
    Nothing,
}

/// How a port was bound to memory (experiment W5).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PortReport {
    /// Its name.
    pub name: String,
    /// Does it go in?
    pub input: bool,
    /// What `boundFeatureDirectly` says; nothing if it cannot be asked.
    pub direct: Option<bool>,
    /// What its binder's `bindingMode` says, 0 copied and 1 direct; only inputs have one.
    pub mode: Option<u8>,
}

/// An operation after the run.
#[derive(Clone, PartialEq, Debug)]
pub struct OperationReport {
    /// Did it have a handle when the stream was executed?
    pub has_handle: bool,
    /// What preparing it answered; fabricated ones are not prepared.
    pub prepared: Result<(), BridgeError>,
    /// Its outputs.
    pub outputs: Vec<(Name, Content)>,
    /// Its ports; fabricated ones have none.
    pub ports: Vec<PortReport>,
}

impl OperationReport {
    /// Is there an output with values? Zeros do not count, although an operation may write them.
    pub fn wrote_something(&self) -> bool {
        self.outputs.iter().any(|(_, content)| matches!(content, Content::Values(_)))
    }
}

/// What a stream did.
#[derive(Clone, PartialEq, Debug)]
pub struct StreamReport {
    /// What executing it answered. Success says nothing about outputs.
    pub executed: Result<(), BridgeError>,
    /// Times of the executions that answered with success.
    pub times: Vec<Duration>,
    /// What submitting it answered; nothing if it was not submitted.
    pub submitted: Option<Result<(), BridgeError>>,
    /// The operations, in order.
    pub operations: Vec<OperationReport>,
}

/// What a stream is made of.
pub(crate) struct Parts<'a> {
    pub(crate) engine: &'a Shared,
    pub(crate) library: &'a Library,
    pub(crate) ports: &'a Ports,
}

struct Made {
    object: Obj,
    ours: Vec<(String, Obj)>,
    prepared: Result<(), BridgeError>,
    has_handle: bool,
}

const EXECUTE: &str = "-[MLE5ExecutionStream _executeStream:error:]";
const SUBMIT: &str = "-[MLE5ExecutionStream submitWithCompletionHandler:]";
/// A submission that is not answered within this time is given up.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn run(
    parts: &Parts<'_>,
    handles: &[Handle],
    inputs: &[Named],
    options: &StreamOptions,
) -> Result<StreamReport, BridgeError> {
    let arrays = inputs.iter().map(|(name, tensor)| Ok((name, array::of(tensor)?)));
    let arrays: Vec<_> = arrays.collect::<Result<_, BridgeError>>()?;
    let given = features::provider(arrays.iter().map(|(name, array)| (name.as_str(), &**array)))?;
    let made = handles.iter().map(|&h| operation(parts, h, &given, options.backings));
    let made: Vec<Made> = made.collect::<Result<_, _>>()?;
    let stream = stream(parts.engine)?;
    fill(&stream, &made)?;

    let mut report =
        StreamReport { executed: Ok(()), times: Vec::new(), submitted: None, operations: Vec::new() };
    if options.submit == Submit::Fresh {
        report.submitted = Some(submit(&stream));
    } else {
        for _ in 0..options.repeats.max(1) {
            let start = Instant::now();
            report.executed = execute(&stream);
            if report.executed.is_err() {
                break;
            }
            report.times.push(start.elapsed());
        }
    }
    // Read before a reset takes the outputs away.
    report.operations = made.iter().map(|m| after(m, parts.ports)).collect::<Result<_, _>>()?;
    if matches!(options.submit, Submit::Used | Submit::AfterReset) {
        if options.submit == Submit::AfterReset {
            tell!("-[MLE5ExecutionStream _reset]", "v@:", [&stream, _reset] -> ())?;
            fill(&stream, &made)?;
            made.iter().filter(|m| m.has_handle).try_for_each(|m| prepare(&m.object, &given, &m.ours))?;
        }
        report.submitted = Some(submit(&stream));
    }
    // An operation must not outlive its memory in a stream that a pool may keep.
    tell!("-[MLE5ExecutionStream _reset]", "v@:", [&stream, _reset] -> ())?;
    Ok(report)
}

/// An operation like those of the engine's own pool.
fn operation(
    parts: &Parts<'_>,
    handle: Handle,
    given: &AnyObject,
    backings: Backings,
) -> Result<Made, BridgeError> {
    let (description, configuration) = parts.library.described(&parts.ports.function)?;
    let (name, label) = (ns::string(&parts.ports.function), ns::string("milwright"));
    let memory = alloc("MLE5ExecutionStreamOperation")?;
    let call = "-[MLE5ExecutionStreamOperation initWithProgramLibrary:functionName:modelDescription:configuration:debugLabel:modelSignpostId:]";
    let object = send!("-[MLE5ExecutionStreamOperation initWithProgramLibrary:functionName:modelDescription:configuration:debugLabel:modelSignpostId:]",
        "@@:@@@@@Q",
        [memory, initWithProgramLibrary: &*parts.library.object, functionName: &*name,
            modelDescription: &*description, configuration: &*configuration, debugLabel: &*label,
            modelSignpostId: 1u64] -> Option<Obj>)?;
    let object = object.ok_or(BridgeError::Null { call })?;
    let ours = if backings == Backings::Ours { poisoned(parts.ports)? } else { Vec::new() };
    let prepared = match handle {
        Handle::Zero => {
            tell!("-[MLE5ExecutionStreamOperation setOperationHandle:]",
                "v@:^{e5rt_execution_stream_operation=}",
                [&object, setOperationHandle: std::ptr::null_mut::<Operation>()] -> ())?;
            Ok(())
        }
        Handle::Real => prepare(&object, given, &ours),
    };
    let has_handle = tell!("-[MLE5ExecutionStreamOperation operationHandle]",
        "^{e5rt_execution_stream_operation=}@:", [&object, operationHandle] -> *mut Operation)?;
    Ok(Made { object, ours, prepared, has_handle: !has_handle.is_null() })
}

fn prepare(operation: &AnyObject, given: &AnyObject, ours: &[(String, Obj)]) -> Result<(), BridgeError> {
    let call = "-[MLE5ExecutionStreamOperation prepareForInputFeatures:options:error:]";
    let options = features::options(ours)?;
    let mut error = Raised::none();
    let ready = tell!(call, "B@:@@^@",
        [operation, prepareForInputFeatures: given, options: &*options, error: &mut error.0] -> bool)?;
    outcome::done(call, ready, error.take())
}

/// A stream of the engine's pool, or a new one where the pool cannot be asked.
fn stream(engine: &AnyObject) -> Result<Obj, BridgeError> {
    let pool = field(engine, "streamPool");
    let taken = pool
        .as_deref()
        .map(|pool| tell!("-[MLE5ExecutionStreamPool takeOut]", "@@:", [pool, takeOut] -> Option<Obj>));
    match taken {
        Some(Ok(Some(stream))) => Ok(stream),
        _ => make("MLE5ExecutionStream"),
    }
}

fn fill(stream: &AnyObject, made: &[Made]) -> Result<(), BridgeError> {
    let operations = ns::array(made.iter().map(|m| &*m.object));
    tell!("-[MLE5ExecutionStream setOperations:]", "v@:@", [stream, setOperations: &*operations] -> ())
}

fn execute(stream: &AnyObject) -> Result<(), BridgeError> {
    let handle = tell!("-[MLE5ExecutionStream streamHandle]", "^{e5rt_execution_stream=}@:",
        [stream, streamHandle] -> *mut Stream)?;
    let mut error = Raised::none();
    let ran = tell!(EXECUTE, "B@:^{e5rt_execution_stream=}^@",
        [stream, _executeStream: handle, error: &mut error.0] -> bool)?;
    outcome::done(EXECUTE, ran, error.take())
}

/// Submits the stream and waits for its answer.
///
/// What the handler is given is not documented; we take one argument, an error or nil. Values too small to be an object's address
/// are taken for a truth value and not looked into.
fn submit(stream: &AnyObject) -> Result<(), BridgeError> {
    const NO_OBJECT_BELOW: usize = 0x1000;
    let address = probe::implementation(stream, SUBMIT, "v@:@?")?;
    let (send, receive) = mpsc::channel();
    let block = RcBlock::new(move |error: *mut AnyObject| {
        let object = if error.addr() < NO_OBJECT_BELOW { std::ptr::null_mut() } else { error };
        // SAFETY: null, or an object that lives through this call; the reference is ours.
        let error = unsafe { Retained::retain(object) };
        // If nobody waits any more, it goes.
        let _ = send.send(error.map(Shared));
    });
    guarded(SUBMIT, || {
        // SAFETY: the address of the method, which has these types, as was just probed. A block is an object.
        unsafe {
            type Submit = unsafe extern "C-unwind" fn(*const AnyObject, Sel, *const c_void);
            let submit = std::mem::transmute::<Imp, Submit>(address);
            submit(stream, objc2::sel!(submitWithCompletionHandler:), (&raw const *block).cast());
        }
    })?;
    drop(block);
    match receive.recv_timeout(PATIENCE) {
        Ok(None) => Ok(()),
        Ok(Some(error)) => outcome::done(SUBMIT, false, Some(error.0)),
        Err(_) => Err(BridgeError::Null { call: SUBMIT }),
    }
}

fn after(made: &Made, ports: &Ports) -> Result<OperationReport, BridgeError> {
    let results = tell!("-[MLE5ExecutionStreamOperation outputFeatures]", "@@:",
        [&made.object, outputFeatures] -> Option<Obj>)?;
    let mut outputs = Vec::new();
    for port in &ports.outputs {
        let array = match &results {
            Some(results) => features::array(results, &port.name)?,
            None => None,
        };
        let content = match array {
            None => Content::Nothing,
            Some(array) => {
                let own = made.ours.iter().any(|(_, a)| std::ptr::eq(&**a, &*array));
                if own && array::is_untouched(&array)? {
                    Content::Untouched
                } else {
                    let tensor = array::read(&array, port.dtype, port.rank)?;
                    let zero = tensor.bytes().iter().all(|&b| b == 0);
                    if zero { Content::Zeros(tensor) } else { Content::Values(tensor) }
                }
            }
        };
        outputs.push((port.name.clone(), content));
    }
    let mut reports = Vec::new();
    for (list, input) in [("inputPorts", true), ("outputPorts", false)] {
        let list = field(&made.object, list);
        reports.extend(list.as_deref().map(ns::items).unwrap_or_default().iter().map(|p| port(p, input)));
    }
    Ok(OperationReport {
        has_handle: made.has_handle,
        prepared: made.prepared.clone(),
        outputs,
        ports: reports,
    })
}

fn port(port: &AnyObject, input: bool) -> PortReport {
    let direct = tell!("-[MLE5InputPort boundFeatureDirectly]", "B@:", [port, boundFeatureDirectly] -> bool);
    let mode = field(port, "binder").and_then(|binder| {
        tell!("-[MLE5InputPortBinder bindingMode]", "C@:", [&binder, bindingMode] -> c_uchar).ok()
    });
    PortReport { name: ns::to_string(field(port, "name").as_deref()), input, direct: direct.ok(), mode }
}
