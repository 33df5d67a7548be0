//! The ways to have a request evaluated.

use super::model::InMemoryModel;
use super::options::Route;
use super::request::Request;
use crate::error::BridgeError;
use crate::objc::{Obj, autoreleasepool, done, ns};
use crate::send;

const STANDARD: &str = "-[_ANEInMemoryModel evaluateWithQoS:options:request:error:]";
const REAL_TIME: &str = "-[_ANEClient evaluateRealTimeWithModel:options:request:error:]";
const DIRECT: &str = "-[_ANEClient doEvaluateDirectWithModel:options:request:qos:error:]";
const PROCESS: &str =
    "-[_ANEProgramForEvaluation processRequest:model:qos:qIndex:modelStringID:options:returnValue:error:]";

/// Evaluates once and waits; gives the call that did it.
///
/// [`Route::RealTime`] goes on to the standard way where the real-time one fails; the outputs are poisoned again before.
pub fn evaluate(
    model: &InMemoryModel,
    request: &mut Request,
    route: Route,
    qos: u32,
) -> Result<&'static str, BridgeError> {
    autoreleasepool(|_| match route {
        Route::Standard => standard(model, request, qos),
        Route::RealTime => real_time(model, request).or_else(|_| {
            request.poison()?;
            standard(model, request, qos)
        }),
        Route::Direct => direct(model, request, qos),
        Route::ProcessRequest => process(model, request, qos),
    })
}

fn standard(model: &InMemoryModel, request: &Request, qos: u32) -> Result<&'static str, BridgeError> {
    let (options, mut error) = (ns::dictionary([]), None::<Obj>);
    let ok = send!("-[_ANEInMemoryModel evaluateWithQoS:options:request:error:]", "B@:I@@^@", [
        model.object(), evaluateWithQoS: qos, options: &*options, request: request.object(), error: &mut error
    ] -> bool)?;
    done(STANDARD, ok, error).map(|()| STANDARD)
}

fn real_time(model: &InMemoryModel, request: &Request) -> Result<&'static str, BridgeError> {
    let (options, mut error) = (ns::dictionary([]), None::<Obj>);
    let (client, inner) = (model.connection()?, model.inner()?);
    let ok = send!("-[_ANEClient evaluateRealTimeWithModel:options:request:error:]", "B@:@@@^@", [
        &*client, evaluateRealTimeWithModel: &*inner, options: &*options, request: request.object(), error: &mut error
    ] -> bool)?;
    done(REAL_TIME, ok, error).map(|()| REAL_TIME)
}

fn direct(model: &InMemoryModel, request: &Request, qos: u32) -> Result<&'static str, BridgeError> {
    let (options, mut error) = (ns::dictionary([]), None::<Obj>);
    let (client, inner) = (model.connection()?, model.inner()?);
    let ok = send!("-[_ANEClient doEvaluateDirectWithModel:options:request:qos:error:]", "B@:@@@I^@", [
        &*client, doEvaluateDirectWithModel: &*inner, options: &*options, request: request.object(), qos: qos,
        error: &mut error
    ] -> bool)?;
    done(DIRECT, ok, error).map(|()| DIRECT)
}

fn process(model: &InMemoryModel, request: &Request, qos: u32) -> Result<&'static str, BridgeError> {
    let (options, mut error) = (ns::dictionary([]), None::<Obj>);
    let (program, inner, id) = (model.program()?, model.inner()?, model.string_id()?);
    let mut value = 0u32;
    let ok = send!(
        "-[_ANEProgramForEvaluation processRequest:model:qos:qIndex:modelStringID:options:returnValue:error:]",
        "B@:@@IQQ@^I^@",
        [
            &*program, processRequest: request.object(), model: &*inner, qos: qos, qIndex: 0u64, modelStringID: id,
            options: &*options, returnValue: &raw mut value, error: &mut error
        ] -> bool)?;
    done(PROCESS, ok, error).map(|()| PROCESS)
}
