//! The runtime `coreml` against the double of Core ML.

mod common;

use common::{COUNTER, RESEARCH, TWO, checked, code, example, expected, inputs, run, same, turn};
use mil_apple::coreml::{self, Backings, ComputeUnits, CoreMlOptions};
use mil_apple::{Kind, runtime};
use mil_doubles::{absent, behaviour};
use mil_run::{Claim, Device, Options};
use std::path::Path;

#[test]
fn the_research_runs_bit_for_bit() {
    let _turn = turn();
    let coreml = runtime(Kind::CoreMl).unwrap();
    assert_eq!(coreml.name(), "coreml (double)");
    for name in RESEARCH {
        let program = example(name);
        let given = inputs(&program, None, 7);
        same(&run(&*coreml, &program, None, &given), &expected(&program, None, &given));
    }
}

#[test]
fn state_lives_over_steps_and_belongs_to_its_session() {
    let _turn = turn();
    let program = checked(COUNTER, Path::new("."));
    let options = Options::default();
    let ours = runtime(Kind::CoreMl).unwrap().load(program.clone(), &options).unwrap();
    let cpu = mil_run::Runtime::load(&mil_run::Cpu, program.clone(), &options).unwrap();
    let (mut a, mut b) = (ours.session(None).unwrap(), cpu.session(None).unwrap());
    let mut other = ours.session(None).unwrap();
    for step in 0..6 {
        let given = inputs(&program, None, step);
        same(&a.run(&given).unwrap(), &b.run(&given).unwrap());
        same(&a.states(), &b.states());
    }
    same(&other.states(), &cpu.session(None).unwrap().states());
    let value = common::tensor(mil_base::DType::Fp16, &[3, 5], 99);
    a.set_state("total", &value).unwrap();
    b.set_state("total", &value).unwrap();
    let given = inputs(&program, None, 42);
    same(&a.run(&given).unwrap(), &b.run(&given).unwrap());
    assert!(a.set_state("no", &value).is_err());

    let broken = behaviour::break_one("coreml/state-stays").unwrap();
    let before = other.states();
    other.run(&given).unwrap();
    same(&other.states(), &before);
    drop(broken);
}

#[test]
fn functions_are_chosen_by_name() {
    let _turn = turn();
    let program = checked(TWO, Path::new("."));
    let coreml = runtime(Kind::CoreMl).unwrap();
    for function in ["up", "down"] {
        let given = inputs(&program, Some(function), 3);
        same(&run(&*coreml, &program, Some(function), &given), &expected(&program, Some(function), &given));
    }
    // Before macOS 15 a configuration has no function name.
    let _old = absent::hide("-[MLModelConfiguration setFunctionName:]");
    let loaded = coreml.load(program, &Options::default()).unwrap();
    let error = loaded.session(Some("up")).err().unwrap();
    assert!(code(&error) == "apple/missing-selector", "{error}");
}

#[test]
fn the_plan_names_a_device_for_every_op() {
    let _turn = turn();
    let program = example("transformer_block");
    let options = Options::default();
    let loaded = runtime(Kind::CoreMl).unwrap().load(program.clone(), &options).unwrap();
    let placement = loaded.placement();
    let Claim::Planned(ops) = &placement.claim else { panic!("{placement}") };
    assert!(ops.len() > 10 && ops.iter().all(|op| op.preferred == Some(Device::Cpu)), "{ops:?}");
    assert!(placement.to_string().starts_with("double"), "{placement}");
    assert!(ops.iter().any(|op| op.supported.contains(&Device::NeuralEngine)));

    // Small ops stay on the CPU; without that they go to the engine, unless the units forbid it.
    let _broken = behaviour::break_one("coreml/small-ops-stay-on-the-cpu").unwrap();
    let plan = |units| {
        let runtime = coreml::runtime_with(CoreMlOptions { units, ..CoreMlOptions::default() }).unwrap();
        match runtime.load(program.clone(), &options).unwrap().placement().claim {
            Claim::Planned(ops) => ops,
            other => panic!("{other:?}"),
        }
    };
    let on_engine = |units| plan(units).iter().filter(|o| o.preferred == Some(Device::NeuralEngine)).count();
    assert!(on_engine(ComputeUnits::CpuAndNeuralEngine) > 5);
    assert_eq!(on_engine(ComputeUnits::CpuOnly), 0);
}

#[test]
fn without_a_compute_plan_the_placement_is_unproven() {
    let _turn = turn();
    let _old = absent::hide("MLComputePlan");
    let loaded = runtime(Kind::CoreMl).unwrap().load(example("relu"), &Options::default()).unwrap();
    assert_eq!(
        loaded.placement().claim,
        Claim::Unproven("Core ML chooses, and has no compute plan before macOS 14.4")
    );
}

#[test]
fn an_output_that_nothing_was_written_to_is_an_error() {
    let _turn = turn();
    let program = example("relu");
    let given = inputs(&program, None, 1);
    let loaded = runtime(Kind::CoreMl).unwrap().load(program.clone(), &Options::default()).unwrap();
    let _broken = behaviour::break_one("coreml/outputs-are-written").unwrap();
    let error = loaded.session(None).unwrap().run(&given).unwrap_err();
    assert_eq!(code(&error), "apple/nothing-written");

    // In the framework's own arrays, or on a system without output backings, it looks like a result of zeros.
    let theirs = CoreMlOptions { backings: Backings::Theirs, ..CoreMlOptions::default() };
    let zeros = run(&*coreml::runtime_with(theirs).unwrap(), &program, None, &given);
    assert!(zeros[0].1.to_f64().iter().all(|&v| v == 0.0));
    let _old = absent::hide("-[MLPredictionOptions setOutputBackings:]");
    assert_eq!(loaded.session(None).unwrap().run(&given).unwrap()[0].1.to_f64(), zeros[0].1.to_f64());
}

#[test]
fn rows_of_the_frameworks_arrays_may_be_padded() {
    let _turn = turn();
    let program = checked(TWO, Path::new("."));
    let given = inputs(&program, Some("down"), 3);
    let theirs = CoreMlOptions { backings: Backings::Theirs, ..CoreMlOptions::default() };
    let coreml = coreml::runtime_with(theirs).unwrap();
    let want = expected(&program, Some("down"), &given);
    same(&run(&*coreml, &program, Some("down"), &given), &want);
    let _packed = behaviour::break_one("coreml/rows-are-padded").unwrap();
    same(&run(&*coreml, &program, Some("down"), &given), &want);
}

#[test]
fn what_cannot_cross_the_boundary_is_refused() {
    let _turn = turn();
    let source = "program(1.3) { func main<ios18>(tensor<fp32, [4]> x) {
        tensor<bool, [4]> y = greater(x = x, y = fp32(0)); } -> (y); }";
    let error = runtime(Kind::CoreMl).unwrap().load(checked(source, Path::new(".")), &Options::default());
    assert_eq!(code(&error.err().unwrap()), "package/feature-type");
}

#[test]
fn a_missing_framework_is_said() {
    let _turn = turn();
    let _old = absent::hide("MLModel");
    assert_eq!(runtime(Kind::CoreMl).err().unwrap().code(), "apple/missing-class");
}
