//! The runtime `mle5`, and its bench, against the double of Core ML's engine.

mod common;
#[path = "common/selectors.rs"]
mod table;

use common::{COUNTER, RESEARCH, TWO, checked, code, example, expected, inputs, run, same, turn};
use mil_apple::mle5::bench::Bench;
use mil_apple::mle5::container::Way;
use mil_apple::mle5::engine::Initialiser;
use mil_apple::mle5::stream::{Content, Handle, StreamOptions, Submit};
use mil_apple::mle5::{Mle5Options, host};
use mil_apple::{BridgeError, Kind, coreml::Backings, runtime};
use mil_doubles::{absent, behaviour};
use mil_run::{Claim, Options};
use std::path::Path;

const ENGINE: &str = "-[MLE5Engine initWithProgramLibrary:modelDescription:configuration:functionName:classProbabilitiesFeatureName:";
const IMPL: &str =
    "-[MLE5ProgramLibraryOnDeviceAOTCompilationImpl initWithMILTextAtURL:container:configuration:]";

#[test]
fn the_research_runs_bit_for_bit() {
    let _turn = turn();
    let mle5 = runtime(Kind::Mle5).unwrap();
    assert_eq!(mle5.name(), "mle5 (double)");
    for name in RESEARCH {
        let program = example(name);
        let given = inputs(&program, None, 7);
        same(&run(&*mle5, &program, None, &given), &expected(&program, None, &given));
    }
}

#[test]
fn nobody_says_where_it_ran() {
    let _turn = turn();
    let loaded = runtime(Kind::Mle5).unwrap().load(example("relu"), &Options::default()).unwrap();
    assert!(matches!(loaded.placement().claim, Claim::Unproven(_)));
    assert!(loaded.placement().to_string().starts_with("double"), "{}", loaded.placement());
}

#[test]
fn functions_and_states() {
    let _turn = turn();
    let mle5 = runtime(Kind::Mle5).unwrap();
    let program = checked(TWO, Path::new("."));
    for function in ["up", "down"] {
        let given = inputs(&program, Some(function), 3);
        same(&run(&*mle5, &program, Some(function), &given), &expected(&program, Some(function), &given));
    }
    let program = checked(COUNTER, Path::new("."));
    let options = Options::default();
    let ours = mle5.load(program.clone(), &options).unwrap();
    let cpu = mil_run::Runtime::load(&mil_run::Cpu, program.clone(), &options).unwrap();
    let (mut a, mut b) = (ours.session(None).unwrap(), cpu.session(None).unwrap());
    for step in 0..4 {
        let given = inputs(&program, None, step);
        same(&a.run(&given).unwrap(), &b.run(&given).unwrap());
        same(&a.states(), &b.states());
    }
}

#[test]
fn the_host_model_has_the_programs_names_and_shapes() {
    for name in RESEARCH {
        let program = example(name);
        let host = host::program(&program).unwrap();
        let package = mil_codec::package::write(&host, None).unwrap();
        assert!(package.weights.is_empty(), "the host model of {name} has weights");
        let ports = |p: &mil_ir::Program| {
            let f = &p.functions[p.default_function().unwrap()];
            let all = f.params().iter().chain(f.outputs());
            all.map(|&v| (f.values[v].name.clone(), f.values[v].ty.to_string())).collect::<Vec<_>>()
        };
        assert_eq!(ports(&host), ports(program.program()));
    }
}

fn way(source: Option<&str>) -> Way {
    let (program, function) = match source {
        Some(source) => (checked(source, Path::new(".")), Some("up")),
        None => (example("relu"), None),
    };
    let bench = Bench::open(program.clone(), function, Mle5Options::default()).unwrap();
    let given = inputs(&program, function, 1);
    same(&bench.predict(&given).unwrap(), &expected(&program, function, &given));
    bench.inspect().way
}

#[test]
fn containers_are_looked_for_in_the_researchs_order() {
    let _turn = turn();
    let hide = |what: &str| behaviour::break_one(what).unwrap();
    assert_eq!(way(None), Way::Library);
    assert_eq!(way(Some(TWO)), Way::Function(Box::new(Way::Library)));
    let _library = hide("mle5/library-has-container");
    assert_eq!(way(None), Way::Implementation);
    assert_eq!(way(Some(TWO)), Way::Function(Box::new(Way::Implementation)));
    let _impl = hide("mle5/impl-has-container");
    assert_eq!(way(None), Way::OwnPath);
    let old = hide("mle5/programs-run-on-e5");
    assert_eq!(way(None), Way::AssetPath);
    let _path = hide("mle5/old-container-has-path");
    assert_eq!(way(None), Way::OwnPath);
    drop(old);
    let _init = absent::hide("-[MLProgramE5Container initWithModelAssetPath:configuration:]");
    assert_eq!(way(None), Way::None);
}

#[test]
fn the_engine_is_made_by_whichever_initialiser_exists() {
    let _turn = turn();
    let made = || {
        let program = example("affine");
        let bench = Bench::open(program.clone(), None, Mle5Options::default())?;
        let given = inputs(&program, None, 1);
        same(&bench.predict(&given).unwrap(), &expected(&program, None, &given));
        Ok::<_, BridgeError>(bench.inspect().initialiser)
    };
    assert_eq!(made(), Ok(Initialiser::Seven));
    let _seven = absent::hide(&format!("{ENGINE}optionalInputDefaultValues:compilerVersionInfo:]"));
    assert_eq!(made(), Ok(Initialiser::Six));
    let _six = absent::hide(&format!("{ENGINE}optionalInputDefaultValues:]"));
    assert_eq!(made(), Ok(Initialiser::Five));
    let _five = absent::hide(&format!("{ENGINE}]"));
    assert_eq!(made().unwrap_err().code(), "apple/missing-selector");
    assert_eq!(runtime(Kind::Mle5).err().unwrap().code(), "apple/missing-selector");
}

#[test]
fn an_older_system_is_said_to_be_one() {
    let _turn = turn();
    let program = example("relu");
    let hidden = absent::hide("MLE5Engine");
    assert_eq!(runtime(Kind::Mle5).err().unwrap().code(), "apple/missing-class");
    drop(hidden);
    let mle5 = runtime(Kind::Mle5).unwrap();
    for missing in [IMPL, "MLE5ProgramLibrary"] {
        let _hidden = absent::hide(missing);
        let error = mle5.load(program.clone(), &Options::default()).err().unwrap();
        assert!(code(&error).starts_with("apple/missing-"), "{error}");
    }
    // An engine that only has the method with a state is given none.
    let _hidden = absent::hide("-[MLE5Engine predictionFromFeatures:options:error:]");
    let given = inputs(&program, None, 7);
    same(&run(&*mle5, &program, None, &given), &expected(&program, None, &given));
}

#[test]
fn a_cache_that_cannot_be_written_is_the_compilers_error() {
    let _turn = turn();
    let _broken = behaviour::break_one("mle5/cache-is-writable").unwrap();
    let error = Bench::open(example("relu"), None, Mle5Options::default()).unwrap_err();
    assert!(matches!(&error, BridgeError::Cocoa { code: 11, .. }), "{error}");
}

#[test]
fn fabricated_operations_do_nothing_and_report_success() {
    let _turn = turn();
    let program = example("relu");
    let given = inputs(&program, None, 5);
    let bench = Bench::open(program, None, Mle5Options::default()).unwrap();
    let want = bench.predict(&given).unwrap();
    let report = bench.stream(&[Handle::Zero; 4], &given, &StreamOptions::default()).unwrap();
    assert_eq!(report.executed, Ok(()));
    assert_eq!(report.operations.len(), 4);
    for op in &report.operations {
        assert!(!op.has_handle && !op.wrote_something() && op.ports.is_empty());
        assert!(matches!(op.outputs[0].1, Content::Zeros(_)), "{op:?}");
    }
    let mixed = [Handle::Real, Handle::Zero, Handle::Real];
    let report = bench.stream(&mixed, &given, &StreamOptions { repeats: 3, ..Default::default() }).unwrap();
    assert_eq!(report.times.len(), 3);
    let wrote: Vec<bool> = report.operations.iter().map(|op| op.wrote_something()).collect();
    assert_eq!(wrote, [true, false, true]);
    assert_eq!(report.operations[0].outputs[0].1, Content::Values(want[0].1.clone()));

    let _broken = behaviour::break_one("mle5/zero-handle-does-nothing").unwrap();
    let report = bench.stream(&[Handle::Zero], &given, &StreamOptions::default()).unwrap();
    assert!(report.executed.is_err());
}

#[test]
fn a_prepared_operation_that_writes_nothing_leaves_the_pattern() {
    let _turn = turn();
    let program = example("relu");
    let given = inputs(&program, None, 5);
    let bench = Bench::open(program, None, Mle5Options::default()).unwrap();
    let _broken = behaviour::break_one("coreml/outputs-are-written").unwrap();
    let report = bench.stream(&[Handle::Real], &given, &StreamOptions::default()).unwrap();
    assert_eq!(report.operations[0].outputs[0].1, Content::Untouched);
    assert_eq!(bench.predict(&given).unwrap_err().code(), "apple/nothing-written");
}

#[test]
fn a_used_stream_refuses_submission() {
    let _turn = turn();
    let program = example("relu");
    let given = inputs(&program, None, 5);
    let bench = Bench::open(program, None, Mle5Options::default()).unwrap();
    let submit = |submit| {
        let options = StreamOptions { submit, ..StreamOptions::default() };
        bench.stream(&[Handle::Real], &given, &options).unwrap()
    };
    let refused = submit(Submit::Used).submitted.unwrap().unwrap_err();
    assert!(refused.to_string().contains("Reset stream to add more operations"), "{refused}");
    let fresh = submit(Submit::Fresh);
    assert_eq!(fresh.submitted, Some(Ok(())));
    assert!(fresh.times.is_empty() && fresh.operations[0].wrote_something());
    let _broken = behaviour::break_one("mle5/used-stream-refuses-submission").unwrap();
    assert_eq!(submit(Submit::Used).submitted, Some(Ok(())));
}

#[test]
fn ports_say_how_they_are_bound() {
    let _turn = turn();
    let program = example("relu");
    let given = inputs(&program, None, 5);
    let bench = Bench::open(program, None, Mle5Options::default()).unwrap();
    let ports = |backings| {
        let options = StreamOptions { backings, ..StreamOptions::default() };
        bench.stream(&[Handle::Real], &given, &options).unwrap().operations.remove(0).ports
    };
    let ours = ports(Backings::Ours);
    assert_eq!(ours.len(), 2);
    assert_eq!((ours[0].input, ours[0].mode, ours[0].direct), (true, Some(1), Some(true)));
    assert_eq!((ours[1].input, ours[1].mode, ours[1].direct), (false, None, Some(true)));
    assert!(!ours[0].name.is_empty());
    assert_eq!(ports(Backings::Theirs)[1].direct, Some(false));
    let _broken = behaviour::break_one("mle5/packed-inputs-bind-directly").unwrap();
    assert_eq!(ports(Backings::Ours)[0].mode, Some(0));
}

#[test]
fn the_bench_says_what_it_found() {
    let _turn = turn();
    let bench = Bench::open(example("relu"), None, Mle5Options::default()).unwrap();
    let found = bench.inspect();
    assert_eq!(
        (found.host_class.as_str(), found.internal_engine.as_str()),
        ("MLDelegateModel", "MLE5Engine")
    );
    assert!(found.classes.iter().all(|c| c.methods.is_some_and(|n| n > 0)), "{:?}", found.classes);
    assert!(found.symbols.iter().all(|(_, there)| *there), "{:?}", found.symbols);
    let _old = absent::hide("MLE5ExecutionStreamPool");
    let classes = bench.inspect().classes;
    let pool = classes.iter().find(|c| c.name == "MLE5ExecutionStreamPool");
    assert_eq!(pool.and_then(|c| c.methods), None);
}

/// Methods of the doubles that the table of one macOS 26 system does not have, or that a superclass there has, with what they
/// are known from.
const ELSEWHERE: [(&str, &str); 6] = [
    ("-[MLE5Engine modelDescription]", "the superclass"),
    ("-[MLE5Engine predictionFromFeatures:options:error:]", "1.3 step 8"),
    (
        "-[MLE5Engine initWithProgramLibrary:modelDescription:configuration:functionName:classProbabilitiesFeatureName:optionalInputDefaultValues:]",
        "1.3 step 6",
    ),
    (
        "-[MLE5Engine initWithProgramLibrary:modelDescription:configuration:functionName:classProbabilitiesFeatureName:]",
        "1.3 step 6",
    ),
    ("-[MLProgramE5Container initWithModelAssetPath:configuration:]", "1.3 step 2"),
    ("-[MLProgramE5Container initWithModelAssetDescription:configuration:]", "1.3 step 2"),
];

/// The methods of a double's class, with those it has from superclasses of ours, as lines of a dump.
fn methods_of(class: &str) -> Option<Vec<String>> {
    use mil_apple::objc::probe;
    let mut lines = probe::dump(class).ok()?;
    let mut of = probe::class(class).ok()?.superclass();
    while let Some(ours) = of.filter(|c| c.name().to_bytes().starts_with(b"Double")) {
        let name = ours.name().to_str().ok()?;
        lines.extend(probe::dump(name).ok()?.iter().map(|line| line.replacen(name, class, 1)));
        of = ours.superclass();
    }
    Some(lines)
}

#[test]
fn doubles_have_the_methods_and_types_of_apples_classes() {
    let Some((methods, classes)) = table::known() else { return };
    let (mut compared, mut wrong) = (0, Vec::new());
    for class in classes.iter().filter(|c| c.starts_with("ML")) {
        // A class of the table that no experiment needs has no double.
        let Some(lines) = methods_of(class) else { continue };
        for line in lines {
            let (method, types) = line
                .split_once(' ')
                .and_then(|(class, rest)| {
                    let (selector, types) = rest.split_once("] ")?;
                    Some((format!("{class} {selector}]"), types))
                })
                .unwrap();
            let own = ["dealloc]", "allocWithZone:]"].iter().any(|own| method.ends_with(own));
            if own || method.contains(" double") || ELSEWHERE.iter().any(|(m, _)| *m == method) {
                continue;
            }
            compared += 1;
            let double = mil_apple::objc::probe::normal(types);
            match methods.get(&method) {
                Some(known) if table::same(known, &double) => {}
                Some(known) => wrong.push(format!("{method} is {double} and should be {known}")),
                None => wrong.push(format!("{method} is in no table")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 80, "only {compared} methods were compared");
}
