//! Calls from several threads.

use crate::common::*;
use mil_apple::ane::{Ane, Options, Route};
use mil_run::Runtime;
use std::thread;

#[test]
fn sessions_of_one_program_run_in_parallel() {
    let _alone = alone();
    let checked = example("transformer_block.mil");
    let loaded = runtime().load(checked.clone(), &mil_run::Options::default()).unwrap();
    thread::scope(|scope| {
        for seed in 1..=4 {
            let (loaded, checked) = (&loaded, &checked);
            scope.spawn(move || {
                let given = inputs(checked, None, seed);
                let want = on_cpu(checked, None, &given);
                let mut session = loaded.session(None).unwrap();
                for _ in 0..5 {
                    assert_eq!(session.run(&given).unwrap(), want);
                }
            });
        }
    });
}

#[test]
fn programs_are_loaded_and_unloaded_in_parallel() {
    let _alone = alone();
    thread::scope(|scope| {
        for n in 0..4u8 {
            scope.spawn(move || {
                for k in 0..8 {
                    // Some of them the same in several threads at once.
                    let body = format!("tensor<fp16, [4]> y = add(x = x, y = fp16({}));\n", (k + n) % 5);
                    let checked = program("tensor<fp16, [4]> x", &body, "y");
                    let route = Route::ALL[usize::from(n) % Route::ALL.len()];
                    let runtime =
                        Ane::new(Options { route, keep_compiled: k % 2 == 0, ..options() }).unwrap();
                    let given = inputs(&checked, None, u64::from(k));
                    assert_eq!(outputs(&runtime, &checked, None, &given), on_cpu(&checked, None, &given));
                }
            });
        }
    });
}
