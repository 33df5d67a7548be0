//! `MLComputePlan` (macOS 14.4): the device that Core ML means to use for every op. It says the plan, not what ran.

use super::model::configuration;
use super::{ComputeUnits, model::Bundle};
use crate::error::BridgeError;
use crate::objc::{AnyObject, Obj, Shared, autoreleasepool, guarded, ns, outcome, probe};
use crate::tell;
use block2::RcBlock;
use mil_run::{Device, PlannedOp};
use objc2::rc::Retained;
use objc2::runtime::{Imp, Sel};
use std::ffi::c_void;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

const LOAD: &str = "+[MLComputePlan loadContentsOfURL:configuration:completionHandler:]";
/// A plan that takes longer is given up; large programs take seconds.
const PATIENCE: Duration = Duration::from_secs(300);
/// Blocks nest this deep at most; deeper ops are left out.
const MAX_DEPTH: usize = 64;

/// The plan for a function of a compiled model, in the order of its ops; constants, which have no device, are left out.
///
/// Errors: `apple/missing-class` before macOS 14.4.
pub fn load(bundle: &Bundle, units: ComputeUnits, function: &str) -> Result<Vec<PlannedOp>, BridgeError> {
    autoreleasepool(|_| {
        let plan = contents(bundle, units)?;
        let structure = one(
            "-[MLComputePlan modelStructure]",
            || tell!("-[MLComputePlan modelStructure]", "@@:", [&plan, modelStructure] -> Option<Obj>),
        )?;
        let program = one(
            "-[MLModelStructure program]",
            || tell!("-[MLModelStructure program]", "@@:", [&structure, program] -> Option<Obj>),
        )?;
        let functions = one(
            "-[MLModelStructureProgram functions]",
            || tell!("-[MLModelStructureProgram functions]", "@@:", [&program, functions] -> Option<Obj>),
        )?;
        let call = "-[MLModelStructureProgramFunction block]";
        let function = ns::get(&functions, function).ok_or(BridgeError::Null { call })?;
        let block = one(call, || tell!(call, "@@:", [&function, block] -> Option<Obj>))?;
        let mut ops = Vec::new();
        walk(&plan, &block, 0, &mut ops)?;
        Ok(ops)
    })
}

fn one(call: &'static str, f: impl FnOnce() -> Result<Option<Obj>, BridgeError>) -> Result<Obj, BridgeError> {
    f()?.ok_or(BridgeError::Null { call })
}

/// Loads the plan; the framework calls back on a thread of its own.
fn contents(bundle: &Bundle, units: ComputeUnits) -> Result<Obj, BridgeError> {
    let class: &AnyObject = probe::class("MLComputePlan")?.as_ref();
    probe::require(LOAD, "v@:@@@?")?;
    let load = probe::implementation(class, LOAD, "v@:@@@?")?;
    let configuration = configuration(units, None)?;
    let url = ns::file_url(bundle.path());
    let (send, receive) = mpsc::channel();
    let block = RcBlock::new(move |plan: *mut AnyObject, error: *mut AnyObject| {
        // SAFETY: null, or objects that live through this call; the references are ours.
        let (plan, error) = unsafe { (Retained::retain(plan), Retained::retain(error)) };
        // Handed to the waiting thread whole, so that no two threads use them at once. If nobody waits any more, they go.
        let _ = send.send((plan.map(Shared), error.map(Shared)));
    });
    guarded(LOAD, || {
        // SAFETY: the address of the method, which has these types, as was just probed. A block is an object.
        unsafe {
            type Load = unsafe extern "C-unwind" fn(
                *const AnyObject,
                Sel,
                *const AnyObject,
                *const AnyObject,
                *const c_void,
            );
            let load = std::mem::transmute::<Imp, Load>(load);
            load(
                class,
                objc2::sel!(loadContentsOfURL:configuration:completionHandler:),
                &raw const *url,
                &raw const *configuration,
                (&raw const *block).cast(),
            );
        }
    })?;
    drop(block);
    match receive.recv_timeout(PATIENCE) {
        Ok((plan, error)) => outcome::object(LOAD, plan.map(|s| s.0), error.map(|s| s.0)),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
            Err(BridgeError::Null { call: LOAD })
        }
    }
}

fn walk(
    plan: &AnyObject,
    block: &AnyObject,
    depth: usize,
    ops: &mut Vec<PlannedOp>,
) -> Result<(), BridgeError> {
    let list =
        tell!("-[MLModelStructureProgramBlock operations]", "@@:", [block, operations] -> Option<Obj>)?;
    for op in list.as_deref().map(ns::items).unwrap_or_default() {
        ops.extend(planned(plan, &op)?);
        let blocks =
            tell!("-[MLModelStructureProgramOperation blocks]", "@@:", [&op, blocks] -> Option<Obj>)?;
        for inner in blocks.as_deref().map(ns::items).unwrap_or_default() {
            if depth < MAX_DEPTH {
                walk(plan, &inner, depth + 1, ops)?;
            }
        }
    }
    Ok(())
}

fn planned(plan: &AnyObject, op: &AnyObject) -> Result<Option<PlannedOp>, BridgeError> {
    let kind =
        tell!("-[MLModelStructureProgramOperation operatorName]", "@@:", [op, operatorName] -> Option<Obj>)?;
    let kind = ns::to_string(kind.as_deref());
    // The framework says `ios17.add` for an `add` of that op set.
    if kind.rsplit('.').next() == Some("const") {
        return Ok(None);
    }
    let outputs = tell!("-[MLModelStructureProgramOperation outputs]", "@@:", [op, outputs] -> Option<Obj>)?;
    let first = outputs.as_deref().map(ns::items).unwrap_or_default().into_iter().next();
    let name = match first {
        Some(value) => {
            tell!("-[MLModelStructureProgramNamedValueType name]", "@@:", [&value, name] -> Option<Obj>)?
        }
        None => None,
    };
    let usage = tell!("-[MLComputePlan computeDeviceUsageForMLProgramOperation:]", "@@:@",
        [plan, computeDeviceUsageForMLProgramOperation: op] -> Option<Obj>)?;
    let (mut preferred, mut supported) = (None, Vec::new());
    if let Some(usage) = usage {
        let best = tell!("-[MLComputePlanDeviceUsage preferredComputeDevice]", "@@:",
            [&usage, preferredComputeDevice] -> Option<Obj>)?;
        preferred = best.as_deref().and_then(device);
        let all = tell!("-[MLComputePlanDeviceUsage supportedComputeDevices]", "@@:",
            [&usage, supportedComputeDevices] -> Option<Obj>)?;
        supported =
            all.as_deref().map(ns::items).unwrap_or_default().iter().filter_map(|d| device(d)).collect();
    }
    Ok(Some(PlannedOp { op: ns::to_string(name.as_deref()), preferred, supported }))
}

fn device(object: &AnyObject) -> Option<Device> {
    let classes = [
        ("MLCPUComputeDevice", Device::Cpu),
        ("MLGPUComputeDevice", Device::Gpu),
        ("MLNeuralEngineComputeDevice", Device::NeuralEngine),
    ];
    classes.into_iter().find(|(class, _)| ns::is_kind_of(object, class)).map(|(_, device)| device)
}
