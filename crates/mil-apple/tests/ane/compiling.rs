//! Compiles are counted, shared and found again; what is staged goes.

use crate::common::*;
use mil_apple::ane::{Ane, Options};
use mil_doubles::{behaviour, notes};
use mil_run::{RunError, Runtime};
use std::time::{Duration, Instant};

fn load(options: &Options, k: usize) -> Result<std::sync::Arc<dyn mil_run::Loaded>, RunError> {
    let body = format!("tensor<fp16, [4]> y = add(x = x, y = fp16({k}));\n");
    let checked = program("tensor<fp16, [4]> x", &body, "y");
    Ane::new(options.clone()).unwrap().load(checked, &mil_run::Options::default())
}

fn code(error: &RunError) -> &'static str {
    let RunError::Refused(all) = error else { panic!("{error}") };
    all[0].code
}

#[test]
fn a_loaded_program_is_shared_and_a_compiled_one_found() {
    let _alone = alone();
    let kept = Options { keep_compiled: true, ..options() };
    notes::take();
    let (one, two) = (load(&kept, 1).unwrap(), load(&kept, 1).unwrap());
    assert_eq!(notes::take(), ["compile", "load"]);
    drop(one);
    assert_eq!(notes::take(), Vec::<String>::new());
    drop(two);
    drop(load(&kept, 1).unwrap());
    assert_eq!(notes::take(), ["unload", "load", "unload"]);
}

#[test]
fn the_budget_is_refused_before_the_framework_is_asked() {
    let _alone = alone();
    let spent = Options { budget: mil_apple::ane::compiles(), ..options() };
    let error = load(&spent, 2).map(|_| ()).unwrap_err();
    assert_eq!(code(&error), "apple/compile-budget");
    assert_eq!(mil_doubles::ane::compiles(), 0);
}

#[test]
fn past_the_budget_every_compile_fails_as_documented() {
    let _alone = alone();
    for k in 0..119 {
        load(&options(), k).unwrap_or_else(|e| panic!("{k}: {e}"));
    }
    let error = load(&options(), 119).map(|_| ()).unwrap_err();
    assert_eq!(code(&error), "apple/error");
    assert!(error.to_string().contains("com.apple.appleneuralengine.compiler 1"), "{error}");
    let _mended = behaviour::break_one("ane/compile-budget").unwrap();
    load(&options(), 119).unwrap();
}

#[test]
fn after_a_failure_the_next_compile_waits() {
    let _alone = alone();
    let patient = Options { back_off: Duration::from_millis(300), ..options() };
    {
        let _failing = mil_doubles::throw_from("-[_ANEInMemoryModel compileWithQoS:options:error:]").unwrap();
        load(&patient, 1).map(|_| ()).unwrap_err();
    }
    let start = Instant::now();
    load(&patient, 1).unwrap();
    assert!(start.elapsed() > Duration::from_millis(200), "{:?}", start.elapsed());
    let start = Instant::now();
    load(&patient, 2).unwrap();
    assert!(start.elapsed() < Duration::from_millis(290), "{:?}", start.elapsed());
}

#[test]
fn loading_is_tried_twice() {
    let _alone = alone();
    let failing = mil_doubles::throw_from("-[_ANEInMemoryModel loadWithQoS:options:error:]").unwrap();
    let slow = Options { load_again_after: Duration::from_millis(400), ..options() };
    let mending = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(150));
        drop(failing);
    });
    load(&slow, 3).unwrap();
    mending.join().unwrap();
}

#[test]
fn what_is_staged_stays_while_the_program_is_loaded_and_goes_with_it() {
    let _alone = alone();
    let staged = || {
        let ours = format!("milwright-{}-", std::process::id());
        let entries = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten();
        let marks = entries.filter(|e| e.file_name().to_string_lossy().starts_with(&ours));
        let names = marks.filter_map(|m| std::fs::read_to_string(m.path().join("owns")).ok());
        names.map(|n| std::env::temp_dir().join(n)).collect::<Vec<_>>()
    };
    let loaded = load(&options(), 4).unwrap();
    let folders = staged();
    assert_eq!(folders.len(), 1);
    for file in ["model.mil", "net.plist", "data"] {
        assert!(folders[0].join(file).exists(), "{file}");
    }
    drop(loaded);
    assert!(!folders[0].exists() && staged().is_empty());
}
