//! `_ANEChainingRequest`.

use super::objects::numbers;
use super::outcome::Outcome;
use crate::error::BridgeError;
use crate::objc::probe::class;
use crate::objc::{AnyObject, Obj, autoreleasepool, ns, object};
use crate::send;

/// An argument that the research tried in several kinds.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub enum Value {
    /// nil.
    #[default]
    Nil,
    /// A number.
    Number(i64),
    /// An array of numbers.
    Numbers(Vec<i64>),
}

impl Value {
    fn object(&self) -> Option<Obj> {
        match self {
            Value::Nil => None,
            Value::Number(n) => Some(ns::int(*n)),
            Value::Numbers(all) => Some(numbers(all)),
        }
    }
}

/// The arguments of a request. The kinds that are right, from property types and what the daemon does with them: inputs are
/// buffers, the loopback symbols arrays, everything else numbers.
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    /// [`super::Buffer`]s, or what is tried in their place.
    pub inputs: Vec<&'a AnyObject>,
    /// [`super::OutputSet`]s, or what is tried in their place.
    pub output_sets: Vec<&'a AnyObject>,
    /// The input symbols that are fed back to: an array. A number throws at `-count` (experiment F).
    pub loopback_inputs: Value,
    /// The output symbols that are fed back from: an array.
    pub loopback_outputs: Value,
    /// The procedure: a number. An array throws.
    pub procedure: Value,
    /// [`crate::ane::SignalEvent`]s; an empty array rather than nil.
    pub signal_events: Vec<&'a AnyObject>,
    /// The transaction: a number.
    pub transaction: Value,
    /// The delay before the firmware enqueues: a number.
    pub delay: Value,
    /// The memory pool: a number.
    pub pool: Value,
}

impl<'a> Parts<'a> {
    /// The right kinds: procedure 0, no loop, no delay, no pool.
    pub fn new(inputs: Vec<&'a AnyObject>, output_sets: Vec<&'a AnyObject>) -> Parts<'a> {
        Parts {
            inputs,
            output_sets,
            loopback_inputs: Value::Numbers(vec![0]),
            loopback_outputs: Value::Numbers(vec![0]),
            procedure: Value::Number(0),
            signal_events: Vec::new(),
            transaction: Value::Number(0),
            delay: Value::Number(0),
            pool: Value::Number(0),
        }
    }
}

/// A request for a chain.
#[derive(Debug)]
pub struct ChainingRequest {
    object: Obj,
}

impl ChainingRequest {
    /// Of these parts, right or wrong.
    pub fn new(parts: &Parts<'_>) -> Result<ChainingRequest, BridgeError> {
        const CALL: &str = "+[_ANEChainingRequest chainingRequestWithInputs:outputSets:lbInputSymbolId:lbOutputSymbolId:procedureIndex:signalEvents:transactionHandle:fwEnqueueDelay:memoryPoolId:]";
        let factory = class("_ANEChainingRequest")?;
        autoreleasepool(|_| {
            let inputs = ns::array(parts.inputs.iter().copied());
            let sets = ns::array(parts.output_sets.iter().copied());
            let events = ns::array(parts.signal_events.iter().copied());
            let (from, to) = (parts.loopback_inputs.object(), parts.loopback_outputs.object());
            let (procedure, transaction) = (parts.procedure.object(), parts.transaction.object());
            let (delay, pool) = (parts.delay.object(), parts.pool.object());
            let made = send!(
                "+[_ANEChainingRequest chainingRequestWithInputs:outputSets:lbInputSymbolId:lbOutputSymbolId:procedureIndex:signalEvents:transactionHandle:fwEnqueueDelay:memoryPoolId:]",
                "@@:@@@@@@@@@",
                [
                    factory, chainingRequestWithInputs: &*inputs, outputSets: &*sets, lbInputSymbolId: from.as_deref(),
                    lbOutputSymbolId: to.as_deref(), procedureIndex: procedure.as_deref(), signalEvents: &*events,
                    transactionHandle: transaction.as_deref(), fwEnqueueDelay: delay.as_deref(),
                    memoryPoolId: pool.as_deref()
                ] -> Option<Obj>)?;
            Ok(ChainingRequest { object: object(CALL, made, None)? })
        })
    }

    /// Does the framework find it in order? It looks at the kinds of inputs and sets only.
    pub fn validate(&self) -> Outcome {
        Outcome::from(send!("-[_ANEChainingRequest validate]", "B@:", [self.object(), validate] -> bool))
    }

    /// The object.
    pub fn object(&self) -> &AnyObject {
        &self.object
    }
}
