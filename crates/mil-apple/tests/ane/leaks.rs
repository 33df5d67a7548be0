//! References balance: what a cycle makes is gone after it.

use crate::common::*;
use mil_apple::ane::{Ane, Options, Route};
use mil_apple::objc::autoreleasepool;
use mil_doubles::{objects_alive, surface};
use mil_run::Runtime;

/// Loads, evaluates and unloads, with objects and surfaces as many afterwards as before.
fn cycles(options: &Options, times: usize) {
    let checked = example("backward.mil");
    let given = inputs(&checked, None, 1);
    let once = || {
        let runtime = Ane::new(options.clone()).unwrap();
        autoreleasepool(|_| outputs(&runtime, &checked, None, &given))
    };
    // The first makes what stays: the shared connection.
    let want = once();
    let before = (objects_alive(), surface::alive());
    for _ in 0..times {
        assert_eq!(once(), want);
    }
    assert_eq!((objects_alive(), surface::alive()), before);
    assert_eq!(before.1, 0, "surfaces are left");
}

#[test]
fn a_thousand_cycles_of_compile_load_evaluate_unload_balance() {
    let _alone = alone();
    let _no_budget = mil_doubles::behaviour::break_one("ane/compile-budget").unwrap();
    cycles(&options(), 1000);
    assert_eq!(mil_doubles::ane::compiles(), 1001);
}

#[test]
fn cycles_balance_on_every_route() {
    let _alone = alone();
    for route in Route::ALL {
        // Compiled once and found in the system's cache from then on.
        cycles(&Options { route, keep_compiled: true, ..options() }, 50);
    }
    assert_eq!(mil_doubles::ane::compiles(), 1);
}

#[test]
fn failures_leave_nothing_behind() {
    let _alone = alone();
    let checked = example("backward.mil");
    let given = inputs(&checked, None, 1);
    let _ = outputs(&runtime(), &checked, None, &given);
    let before = (objects_alive(), surface::alive());
    let left = staged();
    for method in [
        "-[_ANEInMemoryModel compileWithQoS:options:error:]",
        "-[_ANEInMemoryModel loadWithQoS:options:error:]",
        "-[_ANEInMemoryModel evaluateWithQoS:options:request:error:]",
    ] {
        let _throwing = mil_doubles::throw_from(method).unwrap();
        for _ in 0..20 {
            autoreleasepool(|_| {
                let loaded = runtime().load(checked.clone(), &mil_run::Options::default());
                let error = loaded.and_then(|l| l.session(None)?.run(&given)).unwrap_err();
                assert!(error.to_string().contains("DoubleException"), "{error}");
            });
        }
        assert_eq!((objects_alive(), surface::alive()), before, "{method}");
    }
    assert_eq!(staged(), left);
}

/// Folders that this process has staged and not removed.
fn staged() -> usize {
    let ours = format!("milwright-{}-", std::process::id());
    let entries = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten();
    entries.filter(|e| e.file_name().to_string_lossy().starts_with(&ours)).count()
}
