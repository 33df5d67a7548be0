//! Plans: sharing memory, zero sizes, constants, allocation, refusals, parallel sessions.

mod support;

use mil_base::{DType, Tensor};
use mil_run::{Bound, Cpu, LoadedCpu, Options, RunError, Runtime, Session};
use std::sync::Arc;
use support::*;

/// Ops over values that live for different times: in place, views, two outputs, scratch memory, fused.
fn random_text(seed: u64, dtype: &str) -> (String, String) {
    let mut r = Random(seed);
    let (mut body, mut names) = (String::new(), vec!["x".to_owned(), "y".to_owned()]);
    for i in 0..4 + r.below(30) {
        let pick = |r: &mut Random| names[names.len() - 1 - r.below(names.len().min(6))].clone();
        let (a, b) = (pick(&mut r), pick(&mut r));
        let op = match r.below(10) {
            0 | 1 => format!("t_relu(x = {a})"),
            2 => format!("t_same(x = {a})"),
            3 | 4 => format!("t_half(x = {a})"),
            5 => {
                body += &format!(
                    "tensor<{dtype}, [16, 4]> v{i}, tensor<{dtype}, [16, 4]> w{i} = t_both(x = {a});\n"
                );
                names.extend([format!("v{i}"), format!("w{i}")]);
                continue;
            }
            6 => {
                body += &format!("tensor<{dtype}, [32, 4]> j{i} = t_join(x = {a}, y = {b});\n");
                let changed = ["t_same", "t_relu", "t_half"][r.below(3)];
                body += &format!("tensor<{dtype}, [32, 4]> k{i} = {changed}(x = j{i});\n");
                format!("t_head(x = {})", if r.below(2) == 0 { format!("j{i}") } else { format!("k{i}") })
            }
            _ => format!("t_add(x = {a}, y = {b})"),
        };
        body += &format!("tensor<{dtype}, [16, 4]> v{i} = {op};\n");
        names.push(format!("v{i}"));
    }
    let outputs = [names[names.len() - 1].clone(), names[2 + r.below(names.len() - 2)].clone()];
    let outputs = if outputs[0] == outputs[1] { outputs[0].clone() } else { outputs.join(", ") };
    (body, outputs)
}

#[test]
fn random_programs_agree_with_the_reference_and_fused_with_unfused() {
    for seed in 0..300 {
        let dtype = if seed % 2 == 0 { "fp32" } else { "fp16" };
        let (body, outputs) = random_text(seed, dtype);
        let checked =
            program(&format!("tensor<{dtype}, [16, 4]> x, tensor<{dtype}, [16, 4]> y"), &body, &outputs);
        let inputs = Random(seed + 1000).inputs(&checked);
        agree(&checked, &inputs, if dtype == "fp32" { 1e-5 } else { 2e-2 });
        let fused = cpu(&checked, &options(1, true)).run(&inputs).unwrap();
        let plain = cpu(&checked, &options(1, false)).run(&inputs).unwrap();
        assert_eq!(fused, plain, "{seed}");
    }
}

#[test]
fn a_long_chain_takes_no_more_memory_than_a_short_one() {
    let arena = |steps: usize| {
        let body: String = (0..steps)
            .map(|i| {
                let from = if i == 0 { "x".to_owned() } else { format!("v{}", i - 1) };
                format!("tensor<fp32, [1000]> v{i} = tanh(x = {from});\n")
            })
            .collect();
        let checked = program("tensor<fp32, [1000]> x", &body, &format!("v{}", steps - 1));
        let loaded = LoadedCpu::new(checked.clone(), &Options::default()).unwrap();
        let mut session = loaded.session(None).unwrap();
        session.run(&Random(1).inputs(&checked)).unwrap();
        session.plan().unwrap().memory().arena
    };
    assert!(arena(50) <= arena(2), "{} {}", arena(50), arena(2));
    assert!(arena(50) <= 2 * 4032);
}

#[test]
fn inputs_may_be_outputs_and_outputs_may_repeat() {
    let checked = program("tensor<fp32, [3]> x", "tensor<fp32, [3]> y = identity(x = x);", "x, y");
    let inputs = Random(3).inputs(&checked);
    let want = agree(&checked, &inputs, 0.0);
    assert_eq!(want[0].1, inputs[0].1);
    assert_eq!(want[1].1, inputs[0].1);
}

#[test]
fn an_op_on_twice_the_same_value_is_right() {
    let body = "tensor<fp32, [64]> a = tanh(x = x);
        tensor<fp32, [64]> b = add(x = a, y = a);
        tensor<fp32, [64]> c = mul(x = b, y = b);";
    let checked = program("tensor<fp32, [64]> x", body, "c");
    agree(&checked, &Random(5).inputs(&checked), 1e-6);
}

#[test]
fn tensors_without_elements_run() {
    let body = "tensor<fp32, [0, 4]> a = relu(x = x);
        tensor<fp32, [0, 4]> b = add(x = a, y = a);";
    let checked = program("tensor<fp32, [0, 4]> x", body, "b");
    let want = agree(&checked, &Random(5).inputs(&checked), 0.0);
    assert_eq!(want[0].1.shape(), [0, 4]);
}

#[test]
fn constant_results_are_worked_out_beforehand() {
    let body = "tensor<fp32, [2]> c = const()[name = string(\"c\"), val = tensor<fp32, [2]>([1.0, 2.0])];
        tensor<fp32, [2]> d = tanh(x = c);
        tensor<fp32, [2]> y = add(x = x, y = d);";
    let checked = program("tensor<fp32, [2]> x", body, "y, d");
    agree(&checked, &Random(5).inputs(&checked), 1e-6);
    let loaded = LoadedCpu::new(checked.clone(), &Options::default()).unwrap();
    let mut session = loaded.session(None).unwrap();
    session.run(&Random(5).inputs(&checked)).unwrap();
    assert_eq!(session.plan().unwrap().steps().len(), 1);
}

#[test]
fn wrong_inputs_are_all_named_at_once() {
    let checked = program(
        "tensor<fp32, [2]> x, tensor<fp16, [3]> scale, tensor<fp32, [2, 2]> z",
        "tensor<fp32, [2]> y = relu(x = x);",
        "y",
    );
    let given = vec![
        ("z".into(), Tensor::zeros(DType::Fp32, &[4]).unwrap()),
        ("scale".into(), Tensor::zeros(DType::Fp32, &[3]).unwrap()),
        ("scales".into(), Tensor::zeros(DType::Fp32, &[3]).unwrap()),
    ];
    for mut session in [cpu(&checked, &Options::default()), reference(&checked)] {
        let Err(RunError::Refused(found)) = session.run(&given) else { panic!() };
        let codes: Vec<&str> = found.iter().map(|d| d.code).collect();
        assert_eq!(codes, ["run/input-missing", "run/input-dtype", "run/input-shape", "run/input-unknown"]);
        assert!(found.iter().all(|d| d.help.is_some()));
        assert_eq!(found[3].help.as_deref(), Some("its inputs are x, scale, z"), "`scale` is given already");
        assert_eq!(found[2].message, "input `z` has shape [4] but must have [2, 2]");
        let Err(RunError::Refused(found)) = session.run(&given[2..]) else { panic!() };
        assert_eq!(found[3].help.as_deref(), Some("did you mean `scale`?"));
    }
    let error = Cpu.load(checked, &Options::default()).unwrap().session(Some("mian")).err().unwrap();
    assert!(error.to_string().contains("choose one of `main`"), "{error}");
}

#[test]
fn too_much_memory_is_refused_before_it_is_taken() {
    let body = "tensor<fp32, [1000000, 1000000]> a = add(x = x, y = y);";
    let checked = program("tensor<fp32, [1000000, 1]> x, tensor<fp32, [1, 1000000]> y", body, "a");
    let inputs = vec![
        ("x".into(), Tensor::zeros(DType::Fp32, &[1000000, 1]).unwrap()),
        ("y".into(), Tensor::zeros(DType::Fp32, &[1, 1000000]).unwrap()),
    ];
    let options = Options { memory_limit: Some(1 << 30), ..Options::default() };
    let runtimes: [&dyn Runtime; 2] = [&Cpu, &mil_run::Reference];
    for runtime in runtimes {
        let mut session = runtime.load(checked.clone(), &options).unwrap().session(None).unwrap();
        let error = session.run(&inputs).unwrap_err();
        let RunError::Memory(need) = error else { panic!("{error}") };
        assert!(need.total() >= 4_000_000_000_000, "{need:?}");
        assert!(RunError::Memory(need).to_string().contains("3.6 TiB") || runtime.name() == "reference");
    }
}

#[test]
fn sessions_of_one_program_run_in_parallel() {
    let (body, outputs) = random_text(7, "fp32");
    let checked = program("tensor<fp32, [16, 4]> x, tensor<fp32, [16, 4]> y", &body, &outputs);
    let loaded = Cpu.load(checked.clone(), &options(2, true)).unwrap();
    std::thread::scope(|scope| {
        for seed in 0..4 {
            let (loaded, checked) = (&loaded, &checked);
            scope.spawn(move || {
                let inputs = Random(seed).inputs(checked);
                let want = reference(checked).run(&inputs).unwrap();
                let mut session = loaded.session(None).unwrap();
                for _ in 0..50 {
                    assert!(difference(&session.run(&inputs).unwrap(), &want) < 1e-5);
                }
            });
        }
    });
}

#[test]
fn element_wise_ops_join_their_producer() {
    let body = "tensor<fp32, [9]> short = t_half(x = y);
        tensor<fp32, [9]> a = t_half(x = x);
        tensor<fp32, [9]> b = t_add(x = short, y = a);
        tensor<fp32, [9]> c = t_relu(x = b);
        tensor<fp32, [9]> d = t_half(x = c);
        tensor<fp32, [9]> e = t_relu(x = d);
        tensor<fp32, [9]> f = t_relu(x = d);
        tensor<fp32, [9]> g = t_add(x = e, y = f);";
    let checked = program("tensor<fp32, [9]> x, tensor<fp32, [9]> y", body, "g");
    let inputs = Random(1).inputs(&checked);
    agree(&checked, &inputs, 1e-6);
    let steps = |fusion: bool| {
        let loaded = LoadedCpu::new(checked.clone(), &options(1, fusion)).unwrap();
        let mut session = loaded.session(None).unwrap();
        session.run(&inputs).unwrap();
        session.plan().unwrap().steps().map(|(ops, _)| ops.len()).collect::<Vec<_>>()
    };
    assert_eq!(steps(false), [1; 8]);
    // The later producer takes the sum; `d` has two users and stays by itself.
    assert_eq!(steps(true), [1, 3, 1, 1, 1, 1]);
}

#[test]
fn what_is_joined_is_made_where_it_belongs() {
    let body = "tensor<fp32, [16, 4]> a = t_half(x = x);
        tensor<fp32, [16, 4]> b = t_half(x = a);
        tensor<fp32, [32, 4]> c = t_join(x = a, y = b);
        tensor<fp32, [32, 4]> d = t_half(x = c);";
    let checked = program("tensor<fp32, [16, 4]> x", body, "d, a");
    let inputs = Random(1).inputs(&checked);
    agree(&checked, &inputs, 1e-6);
    let loaded = LoadedCpu::new(checked, &Options::default()).unwrap();
    let mut session = loaded.session(None).unwrap();
    session.run(&inputs).unwrap();
    assert_eq!(session.plan().unwrap().steps().len(), 3);
}

#[test]
fn every_shape_has_one_plan_which_is_kept() {
    let body = "tensor<fp32, [?, 4]> y = t_relu(x = x);";
    let checked = program("tensor<fp32, [?, 4]> x", body, "y");
    let loaded = LoadedCpu::new(checked.clone(), &options(1, true)).unwrap();
    let function = checked.program().default_function().unwrap();
    let plan = |rows: usize| match loaded.bind(function, &[("x".into(), vec![rows, 4])]).unwrap() {
        Bound::Static(plan) => plan,
        Bound::Dynamic(_, why) => panic!("not planned: {why}"),
    };
    let (two, three) = (plan(2), plan(3));
    assert!(!Arc::ptr_eq(&two, &three));
    assert!(Arc::ptr_eq(&two, &plan(2)) && Arc::ptr_eq(&three, &plan(3)), "made again for the same shape");
    // Sessions share them, and going back and forth between shapes gives the right numbers.
    let mut sessions = [loaded.session(None).unwrap(), loaded.session(None).unwrap()];
    for (turn, rows) in [2, 3, 2, 3].into_iter().enumerate() {
        let values: Vec<f32> = (0..rows * 4).map(|i| i as f32 - 3.0).collect();
        let input = vec![("x".into(), Tensor::from_f32(&[rows, 4], &values).unwrap())];
        let out = sessions[turn % 2].run(&input).unwrap();
        let want: Vec<f64> = values.iter().map(|v| f64::from(v.max(0.0))).collect();
        assert_eq!((out[0].1.shape(), out[0].1.to_f64()), (&[rows, 4][..], want));
    }
    assert!(Arc::ptr_eq(&two, &plan(2)));
    // Only the latest few are kept.
    (4..20).for_each(|rows| drop(plan(rows)));
    assert!(!Arc::ptr_eq(&two, &plan(2)));
}
