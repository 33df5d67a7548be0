//! What a client does with a chain.

use super::objects::{InputsReady, OutputEnqueue};
use super::outcome::Outcome;
use super::request::ChainingRequest;
use crate::ane::client::{Client, ClientModel};
use crate::objc::{Obj, autoreleasepool, done, ns};
use crate::send;

/// Prepares a chain.
pub fn prepare(client: &Client, model: &ClientModel, request: &ChainingRequest, qos: u32) -> Outcome {
    autoreleasepool(|_| {
        let (options, mut error) = (ns::dictionary([]), None::<Obj>);
        let sent = send!("-[_ANEClient prepareChainingWithModel:options:chainingReq:qos:error:]", "B@:@@@I^@", [
            client.object(), prepareChainingWithModel: model.object(), options: &*options,
            chainingReq: request.object(), qos: qos, error: &mut error
        ] -> bool);
        ended("-[_ANEClient prepareChainingWithModel:options:chainingReq:qos:error:]", sent, error)
    })
}

/// The same, around the daemon's queue (experiment H: no difference).
pub fn do_prepare(client: &Client, model: &ClientModel, request: &ChainingRequest, qos: u32) -> Outcome {
    autoreleasepool(|_| {
        let (options, mut error) = (ns::dictionary([]), None::<Obj>);
        let sent = send!("-[_ANEClient doPrepareChainingWithModel:options:chainingReq:qos:error:]", "B@:@@@I^@", [
            client.object(), doPrepareChainingWithModel: model.object(), options: &*options,
            chainingReq: request.object(), qos: qos, error: &mut error
        ] -> bool);
        ended("-[_ANEClient doPrepareChainingWithModel:options:chainingReq:qos:error:]", sent, error)
    })
}

/// Says that inputs of a prepared chain may be read.
pub fn buffers_ready(client: &Client, model: &ClientModel, ready: &InputsReady, qos: u32) -> Outcome {
    autoreleasepool(|_| {
        let (options, mut error) = (ns::dictionary([]), None::<Obj>);
        let sent = send!("-[_ANEClient buffersReadyWithModel:inputBuffers:options:qos:error:]", "B@:@@@I^@", [
            client.object(), buffersReadyWithModel: model.object(), inputBuffers: ready.object(), options: &*options,
            qos: qos, error: &mut error
        ] -> bool);
        ended("-[_ANEClient buffersReadyWithModel:inputBuffers:options:qos:error:]", sent, error)
    })
}

/// Asks a prepared chain for a set of outputs.
pub fn enqueue(client: &Client, model: &ClientModel, set: &OutputEnqueue, qos: u32) -> Outcome {
    autoreleasepool(|_| {
        let (options, mut error) = (ns::dictionary([]), None::<Obj>);
        let sent = send!("-[_ANEClient enqueueSetsWithModel:outputSet:options:qos:error:]", "B@:@@@I^@", [
            client.object(), enqueueSetsWithModel: model.object(), outputSet: set.object(), options: &*options,
            qos: qos, error: &mut error
        ] -> bool);
        ended("-[_ANEClient enqueueSetsWithModel:outputSet:options:qos:error:]", sent, error)
    })
}

fn ended(call: &'static str, sent: Result<bool, crate::BridgeError>, error: Option<Obj>) -> Outcome {
    Outcome::from(sent.and_then(|ok| done(call, ok, error)))
}
