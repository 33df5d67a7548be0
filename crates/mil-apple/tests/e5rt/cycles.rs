//! Nothing is left behind: a thousand cycles, and several threads.

use crate::common::{alone, checked, inputs, on_cpu, same, source};
use mil_apple::Kind;
use mil_doubles::e5rt::{live, loaded};
use mil_run::{Options, Runtime};
use std::collections::BTreeMap;

const TEXT: (&str, &str, &str) = (
    "tensor<fp32, [2, 5]> x",
    "tensor<fp16, [2, 5]> h = cast(dtype = string(\"fp16\"), x = x); tensor<fp16, [2, 5]> r = relu(x = h); tensor<fp32, [2, 5]> y = cast(dtype = string(\"fp32\"), x = r);",
    "y",
);

fn folders() -> usize {
    let mine = format!("milwright-{}-", std::process::id());
    let entries = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten();
    entries.filter(|e| e.file_name().to_str().is_some_and(|n| n.starts_with(&mine))).count()
}

#[test]
fn a_thousand_cycles_are_balanced() {
    let _alone = alone();
    let checked = checked(&source(TEXT.0, TEXT.1, TEXT.2));
    let inputs = inputs(&checked, 3);
    let want = on_cpu(&checked, &inputs);
    let runtime = mil_apple::runtime(Kind::E5rt).unwrap();
    for _ in 0..1000 {
        let loaded = runtime.load(checked.clone(), &Options::default()).unwrap();
        let mut session = loaded.session(None).unwrap();
        same(&session.run(&inputs).unwrap(), &want);
    }
    assert_eq!((live(), loaded()), (BTreeMap::new(), 0));
    assert_eq!(folders(), 0, "staged folders stay");
}

#[test]
fn threads_compile_and_run_at_the_same_time() {
    let _alone = alone();
    let runtime = mil_apple::runtime(Kind::E5rt).unwrap();
    std::thread::scope(|scope| {
        for seed in 0..8 {
            let runtime: &dyn Runtime = &*runtime;
            scope.spawn(move || {
                let checked = checked(&source(TEXT.0, TEXT.1, TEXT.2));
                for n in 0..10 {
                    let inputs = inputs(&checked, seed * 100 + n);
                    let loaded = runtime.load(checked.clone(), &Options::default()).unwrap();
                    let got = loaded.session(None).unwrap().run(&inputs).unwrap();
                    same(&got, &on_cpu(&checked, &inputs));
                }
            });
        }
    });
    assert_eq!((live(), loaded()), (BTreeMap::new(), 0));
}

#[test]
fn sessions_of_one_program_run_in_threads() {
    let _alone = alone();
    let checked = checked(&source(TEXT.0, TEXT.1, TEXT.2));
    let loaded = mil_apple::runtime(Kind::E5rt).unwrap().load(checked.clone(), &Options::default()).unwrap();
    std::thread::scope(|scope| {
        for seed in 0..4 {
            let (loaded, checked) = (&loaded, &checked);
            scope.spawn(move || {
                let mut session = loaded.session(None).unwrap();
                for n in 0..25 {
                    let inputs = inputs(checked, seed * 100 + n);
                    same(&session.run(&inputs).unwrap(), &on_cpu(checked, &inputs));
                }
            });
        }
    });
}
