//! `coreml` and `mle5` under stress: a thousand cycles, exceptions from every call, several threads.

mod common;

use common::{COUNTER, TWO, checked, code, example, expected, inputs, same, turn};
use mil_apple::mle5::stream::{Handle, StreamOptions, Submit};
use mil_apple::mle5::{Mle5Options, bench::Bench};
use mil_apple::objc::probe;
use mil_apple::{BridgeError, Kind, runtime};
use mil_doubles::{objects_alive, throw_from};
use mil_run::{Claim, Options, RunError};
use std::path::Path;
use std::time::{Duration, Instant};

/// Waits for threads of the doubles that are about to end.
fn settle(want: i64) -> i64 {
    let start = Instant::now();
    while objects_alive() != want && start.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(5));
    }
    objects_alive()
}

/// Everything that the runtimes do.
fn everything(kind: Kind) -> Result<Claim, RunError> {
    let runtime = runtime(kind)?;
    let options = Options::default();
    let two = checked(TWO, Path::new("."));
    let loaded = runtime.load(two.clone(), &options)?;
    for function in ["up", "down"] {
        let given = inputs(&two, Some(function), 3);
        same(&loaded.session(Some(function))?.run(&given)?, &expected(&two, Some(function), &given));
    }
    let counter = checked(COUNTER, Path::new("."));
    let loaded = runtime.load(counter.clone(), &options)?;
    let mut session = loaded.session(None)?;
    session.set_state("total", &common::tensor(mil_base::DType::Fp16, &[3, 5], 9))?;
    session.run(&inputs(&counter, None, 4))?;
    let relu = example("relu");
    let given = inputs(&relu, None, 5);
    let loaded = runtime.load(relu.clone(), &options)?;
    same(&loaded.session(None)?.run(&given)?, &expected(&relu, None, &given));
    if session.states().len() != 1 {
        return Err(RunError::Internal("the state cannot be read".into()));
    }
    if kind == Kind::Mle5 {
        let bench = Bench::open(relu, None, Mle5Options::default())?;
        bench.inspect();
        for submit in [Submit::AfterReset, Submit::Fresh] {
            let options = StreamOptions { submit, ..StreamOptions::default() };
            let report = bench.stream(&[Handle::Real, Handle::Zero], &given, &options)?;
            report.executed?;
            report.submitted.unwrap_or(Ok(()))?;
            report.operations.into_iter().try_for_each(|op| op.prepared)?;
        }
    }
    Ok(loaded.placement().claim)
}

/// Calls whose exceptions do not end a run, and what happens instead.
const SURVIVED: [(&str, &str); 4] = [
    ("-[MLE5ExecutionStreamPool takeOut]", "a new stream is made"),
    ("-[MLE5InputPort boundFeatureDirectly]", "the report leaves it out"),
    ("-[MLE5OutputPort boundFeatureDirectly]", "the report leaves it out"),
    ("-[MLE5InputPortBinder bindingMode]", "the report leaves it out"),
];

fn throws_everywhere(kind: Kind) {
    let sane = everything(kind).unwrap_or_else(|e| panic!("{e}"));
    let calls: Vec<String> = probe::probed().into_iter().filter(|c| c.get(2..4) == Some("ML")).collect();
    assert!(calls.len() > 25, "{calls:?}");
    let mut said = 0;
    for call in &calls {
        let Some(throwing) = throw_from(call) else { panic!("no method {call}") };
        let result = everything(kind);
        drop(throwing);
        let survives = SURVIVED.iter().any(|(c, _)| c == call);
        match result {
            Err(error) if code(&error) == "apple/exception" => said += 1,
            // A state that cannot be read is left out; a plan that cannot be had makes the placement unproven.
            Err(RunError::Internal(_)) if call.contains("getMultiArrayForStateNamed") => said += 1,
            Err(error) => panic!("{call}: {error}"),
            Ok(Claim::Unproven(_)) if kind == Kind::CoreMl => {}
            Ok(claim) => assert!(survives || claim == sane && unused(kind, call), "{call} was not noticed"),
        }
    }
    assert!(said > 15, "only {said} of {} calls were seen to throw", calls.len());
    assert_eq!(everything(kind).unwrap_or_else(|e| panic!("{e}")), sane);
}

/// Calls that only the other runtime makes, or that have a documented substitute.
fn unused(kind: Kind, call: &str) -> bool {
    match kind {
        Kind::CoreMl => ["MLE5", "MLProgramE5", "modelDescription"].iter().any(|w| call.contains(w)),
        _ => {
            let plan = call.contains("MLComputePlan") || call.contains("MLModelStructure");
            plan || call.contains("MLDelegateModel") && !call.contains("modelDescription")
        }
    }
}

#[test]
fn every_call_of_coreml_may_throw() {
    let _turn = turn();
    throws_everywhere(Kind::CoreMl);
}

#[test]
fn every_call_of_mle5_may_throw() {
    let _turn = turn();
    throws_everywhere(Kind::Mle5);
}

#[test]
fn a_thousand_cycles_leave_nothing_behind() {
    let _turn = turn();
    let program = example("affine");
    let given = inputs(&program, None, 2);
    let want = expected(&program, None, &given);
    for kind in [Kind::CoreMl, Kind::Mle5] {
        let runtime = runtime(kind).unwrap();
        let cycle = |plan: bool| {
            let loaded = runtime.load(program.clone(), &Options::default()).unwrap();
            same(&loaded.session(None).unwrap().run(&given).unwrap(), &want);
            if plan {
                loaded.placement();
            }
        };
        cycle(true);
        let before = settle(0);
        for n in 0..1_000 {
            cycle(n % 50 == 0);
        }
        assert_eq!(settle(before), before, "{kind} leaks");
        assert_eq!(before, 0, "{kind} keeps objects");
    }
    let mine = format!("milwright-{}-", std::process::id());
    let left = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten();
    assert_eq!(left.filter(|e| e.file_name().to_string_lossy().starts_with(&mine)).count(), 0);
}

#[test]
fn threads_share_a_loaded_program() {
    let _turn = turn();
    let program = example("layer_norm");
    for kind in [Kind::CoreMl, Kind::Mle5] {
        let loaded = runtime(kind).unwrap().load(program.clone(), &Options::default()).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (loaded, program) = (&loaded, &program);
                scope.spawn(move || {
                    let mut session = loaded.session(None).unwrap();
                    for step in 0..25 {
                        let given = inputs(program, None, thread * 100 + step);
                        same(&session.run(&given).unwrap(), &expected(program, None, &given));
                    }
                });
            }
            scope.spawn(|| assert!(loaded.placement().to_string().starts_with("double")));
        });
    }
}

#[test]
fn an_engine_refuses_a_description_that_is_not_the_programs() {
    use mil_apple::coreml::model::{Bundle, ComputeUnits, configuration};
    use mil_apple::mle5::engine;
    use mil_apple::objc::{Obj, autoreleasepool};
    let _turn = turn();
    autoreleasepool(|_| {
        let units = ComputeUnits::All;
        let other = Bundle::compile(example("affine").program()).unwrap();
        let model = other.load(units, None).unwrap();
        let description =
            mil_apple::tell!("-[MLModel modelDescription]", "@@:", [&model, modelDescription] -> Option<Obj>);
        let description = description.unwrap().unwrap();
        let stage = mil_apple::stage::Stage::new().unwrap();
        let text = mil_apple::stage::files(example("relu").program()).unwrap().write(stage.path()).unwrap();
        let configuration = configuration(units, None).unwrap();
        let library = engine::compile(&text, None, &configuration).unwrap();
        let make = || {
            let initialiser = engine::Initialiser::here().unwrap();
            engine::make(initialiser, &library, &description, &configuration, "main")
        };
        let error = make().unwrap_err();
        assert!(matches!(&error, BridgeError::Cocoa { .. }), "{error}");
        let _broken = mil_doubles::behaviour::break_one("mle5/features-equal-description").unwrap();
        make().unwrap();
    });
}
