//! Any call may throw: each is an error that names the call, never an abort, and the next run is sound.

use crate::common::*;
use mil_apple::ane::{Ane, Options, Route};
use mil_doubles::{notes, throw_from};
use mil_run::{Named, RunError, Runtime};

/// Every method the runtime sends, with the route that sends it.
const SENT: &[(&str, Route)] = &[
    ("+[_ANEInMemoryModelDescriptor modelWithMILText:weights:optionsPlist:]", Route::Standard),
    ("+[_ANEInMemoryModel inMemoryModelWithDescriptor:]", Route::Standard),
    ("-[_ANEInMemoryModel hexStringIdentifier]", Route::Standard),
    ("-[_ANEInMemoryModel compiledModelExists]", Route::Standard),
    ("-[_ANEInMemoryModel compileWithQoS:options:error:]", Route::Standard),
    ("-[_ANEInMemoryModel loadWithQoS:options:error:]", Route::Standard),
    ("-[_ANEInMemoryModel modelAttributes]", Route::Standard),
    ("+[_ANEIOSurfaceObject objectWithIOSurface:]", Route::Standard),
    (
        "+[_ANERequest requestWithInputs:inputIndices:outputs:outputIndices:weightsBuffer:perfStats:procedureIndex:]",
        Route::Standard,
    ),
    ("-[_ANEInMemoryModel evaluateWithQoS:options:request:error:]", Route::Standard),
    ("-[_ANEInMemoryModel sharedConnection]", Route::Direct),
    ("-[_ANEInMemoryModel model]", Route::Direct),
    ("-[_ANEClient doEvaluateDirectWithModel:options:request:qos:error:]", Route::Direct),
    ("-[_ANEInMemoryModel program]", Route::ProcessRequest),
    ("-[_ANEInMemoryModel string_id]", Route::ProcessRequest),
    (
        "-[_ANEProgramForEvaluation processRequest:model:qos:qIndex:modelStringID:options:returnValue:error:]",
        Route::ProcessRequest,
    ),
];

fn attempt(route: Route, given: &[Named]) -> Result<Vec<Named>, RunError> {
    let runtime = Ane::new(Options { route, ..options() }).unwrap();
    let loaded = runtime.load(example("backward.mil"), &mil_run::Options::default())?;
    loaded.session(None)?.run(given)
}

#[test]
fn every_call_may_throw() {
    let _alone = alone();
    let checked = example("backward.mil");
    let given = inputs(&checked, None, 1);
    let want = on_cpu(&checked, None, &given);
    for &(method, route) in SENT {
        {
            let _throwing = throw_from(method).unwrap_or_else(|| panic!("{method}"));
            let error = attempt(route, &given).expect_err(method);
            let RunError::Refused(all) = &error else { panic!("{method}: {error}") };
            assert_eq!(all[0].code, "apple/exception", "{method}: {error}");
            assert!(all[0].message.contains(method), "{method}: {error}");
        }
        assert_eq!(attempt(route, &given).unwrap(), want, "after {method}");
    }
}

#[test]
fn what_throws_on_the_way_out_is_forgiven() {
    let _alone = alone();
    let given = inputs(&example("backward.mil"), None, 1);
    for method in ["-[_ANEInMemoryModel unloadWithQoS:error:]", "-[_ANEInMemoryModel purgeCompiledModel]"] {
        let _throwing = throw_from(method).unwrap();
        attempt(Route::Standard, &given).unwrap_or_else(|e| panic!("{method}: {e}"));
    }
}

#[test]
fn real_time_falls_back_to_the_standard_way() {
    let _alone = alone();
    let checked = example("backward.mil");
    let given = inputs(&checked, None, 1);
    let want = on_cpu(&checked, None, &given);
    notes::take();
    assert_eq!(attempt(Route::RealTime, &given).unwrap(), want);
    assert!(notes::take().iter().any(|n| n == "evaluateRealTime"));
    let _throwing = throw_from("-[_ANEClient evaluateRealTimeWithModel:options:request:error:]").unwrap();
    assert_eq!(attempt(Route::RealTime, &given).unwrap(), want);
    drop(_throwing);
    let _refused = mil_doubles::behaviour::break_one("ane/real-time-without-entitlement").unwrap();
    assert_eq!(attempt(Route::RealTime, &given).unwrap(), want);
}
