//! Control flow, lists, states, shapes that are known late: the interpreter, plans and the dynamic runtime agree.

mod support;

use mil_base::{DType, Tensor};
use mil_run::{LoadedCpu, Named, Options, Session};
use support::*;

fn tensor(shape: &[usize], values: &[f32]) -> Tensor {
    Tensor::from_f32(shape, values).unwrap()
}

fn is_planned(checked: &std::sync::Arc<mil_check::Checked>, inputs: &[Named]) -> bool {
    let loaded = LoadedCpu::new(checked.clone(), &Options::default()).unwrap();
    let mut session = loaded.session(None).unwrap();
    session.run(inputs).unwrap();
    session.plan().is_some()
}

/// Fibonacci: the variables swap, so results must be taken all at once.
#[test]
fn loop_variables_advance_together() {
    let body = "int32 zero = const()[name = string(\"zero\"), val = int32(0)];
        int32 n, tensor<fp32, [2]> a, tensor<fp32, [2]> b = while_loop(loop_vars = (zero, x, y))
          (int32 i, tensor<fp32, [2]> p, tensor<fp32, [2]> q) {
            bool on = less(x = i, y = int32(10));
          } -> (on)
          (int32 j, tensor<fp32, [2]> r, tensor<fp32, [2]> s) {
            tensor<fp32, [2]> t = add(x = r, y = s);
            int32 next = add(x = j, y = int32(1));
          } -> (next, s, t);";
    let checked = program("tensor<fp32, [2]> x, tensor<fp32, [2]> y", body, "a, b, n");
    let inputs = vec![("x".into(), tensor(&[2], &[0.0, 1.0])), ("y".into(), tensor(&[2], &[1.0, 1.0]))];
    assert!(is_planned(&checked, &inputs));
    let want = agree(&checked, &inputs, 0.0);
    assert_eq!(want[0].1.to_f64(), [55.0, 89.0]);
    assert_eq!(want[1].1.to_f64(), [89.0, 144.0]);
    assert_eq!(want[2].1.to_i64(), [10]);
}

#[test]
fn branches_nest_and_see_outer_values() {
    let body = "tensor<fp32, [3]> outer = t_half(x = x);
        bool big = greater(x = k, y = int32(5));
        tensor<fp32, [3]> y = cond(pred = big)
          () {
            bool huge = greater(x = k, y = int32(50));
            tensor<fp32, [3]> inner = cond(pred = huge)
              () { tensor<fp32, [3]> a = t_add(x = outer, y = x); } -> (a)
              () { } -> (outer);
          } -> (inner)
          () { tensor<fp32, [3]> b = t_relu(x = x); } -> (b);
        tensor<fp32, [3]> z = t_add(x = y, y = outer);";
    let checked = program("tensor<fp32, [3]> x, int32 k", body, "z");
    for k in [0, 10, 100] {
        let inputs = vec![
            ("x".into(), tensor(&[3], &[-2.0, 0.5, 4.0])),
            ("k".into(), Tensor::from_i64(DType::Int32, &[], &[k]).unwrap()),
        ];
        assert!(is_planned(&checked, &inputs));
        let want = agree(&checked, &inputs, 1e-6);
        let first = [0.0 + 0.0, -2.0 + 0.0 + 0.0, 0.0][usize::from(k > 50)];
        assert_eq!(want[0].1.to_f64()[0], first, "{k}");
    }
}

#[test]
fn a_loop_over_a_loop_keeps_outer_values_alive() {
    let body = "tensor<fp32, [4]> once = t_half(x = x);
        int32 zero = const()[name = string(\"zero\"), val = int32(0)];
        int32 n, tensor<fp32, [4]> sum = while_loop(loop_vars = (zero, x))
          (int32 i, tensor<fp32, [4]> s) { bool on = less(x = i, y = int32(3)); } -> (on)
          (int32 i2, tensor<fp32, [4]> s2) {
            tensor<fp32, [4]> turn = t_half(x = s2);
            int32 m, tensor<fp32, [4]> t = while_loop(loop_vars = (zero, turn))
              (int32 j, tensor<fp32, [4]> u) { bool more = less(x = j, y = int32(2)); } -> (more)
              (int32 j2, tensor<fp32, [4]> u2) {
                tensor<fp32, [4]> v = t_add(x = u2, y = once);
                tensor<fp32, [4]> w = t_add(x = v, y = turn);
                int32 j3 = add(x = j2, y = int32(1));
              } -> (j3, w);
            int32 i3 = add(x = i2, y = int32(1));
          } -> (i3, t);";
    let checked = program("tensor<fp32, [4]> x", body, "sum, once");
    let inputs = Random(9).inputs(&checked);
    assert!(is_planned(&checked, &inputs));
    agree(&checked, &inputs, 1e-5);
}

/// Reads a state before and after it is written: the first reading must not change.
#[test]
fn states_live_between_runs_and_readings_are_snapshots() {
    let body = "tensor<fp32, [2]> old = read_state(input = s);
        tensor<fp32, [2]> new = t_add(x = old, y = x);
        write_state(data = new, input = s);
        tensor<fp32, [2]> now = read_state(input = s);
        tensor<fp32, [2]> both = t_add(x = now, y = old);";
    let checked = program("state<tensor<fp32, [2]>> s, tensor<fp32, [2]> x", body, "both, old, now");
    let inputs = vec![("x".into(), tensor(&[2], &[1.0, 10.0]))];
    let loaded = LoadedCpu::new(checked.clone(), &Options::default()).unwrap();
    let sessions: [Box<dyn Session>; 3] =
        [reference(&checked), Box::new(loaded.session(None).unwrap()), cpu(&checked, &options(1, false))];
    for mut session in sessions {
        for turn in 1..4 {
            let out = session.run(&inputs).unwrap();
            let value = |i: usize| out[i].1.to_f64()[1];
            assert_eq!(
                (value(0), value(1), value(2)),
                (20.0 * turn as f64 - 10.0, 10.0 * (turn - 1) as f64, 10.0 * turn as f64)
            );
        }
        assert_eq!(session.states()[0].1.to_f64(), [3.0, 30.0]);
        session.set_state("s", &tensor(&[2], &[100.0, 0.0])).unwrap();
        assert_eq!(session.run(&inputs).unwrap()[2].1.to_f64(), [101.0, 10.0]);
        assert!(session.set_state("t", &tensor(&[2], &[0.0, 0.0])).is_err());
        assert!(session.set_state("s", &tensor(&[1], &[0.0])).is_err());
    }
    // Another session starts from zero.
    assert_eq!(loaded.session(None).unwrap().states()[0].1.to_f64(), [0.0, 0.0]);
}

/// A cache is changed where it is, unless what it was before is still needed.
#[test]
fn caches_are_updated_in_place_where_nobody_sees_it() {
    let update = |tail: &str, outputs: &str| {
        let body = format!(
            "tensor<fp32, [1000]> old = read_state(input = s);
            tensor<fp32, [1000]> new = t_add(x = old, y = x);
            {tail}"
        );
        program("state<tensor<fp32, [1000]>> s, tensor<fp32, [1000]> x", &body, outputs)
    };
    let write = "write_state(data = new, input = s); tensor<fp32, [1000]> now = read_state(input = s);";
    let twice =
        format!("{write} tensor<fp32, [1000]> b = t_relu(x = now); write_state(data = b, input = s);");
    let cases = [
        (update(write, "now"), true),
        (update(&twice, "b"), true),
        (update(&twice, "now"), false),
        (update(write, "now, old"), false),
        (update(&format!("tensor<fp32, [1000]> z = t_add(x = new, y = old); {write}"), "z"), false),
    ];
    for (checked, in_place) in cases {
        let inputs = Random(5).inputs(&checked);
        let loaded = LoadedCpu::new(checked.clone(), &Options::default()).unwrap();
        let (mut cpu, mut wanted) = (loaded.session(None).unwrap(), reference(&checked));
        for _ in 0..3 {
            let (got, want) = (cpu.run(&inputs).unwrap(), wanted.run(&inputs).unwrap());
            assert!(difference(&got, &want) < 1e-6);
            assert!(difference(&cpu.states(), &wanted.states()) < 1e-6);
        }
        let memory = cpu.plan().unwrap().memory();
        let beside_input = memory.arena - memory.states - 4032;
        assert_eq!(beside_input == 0, in_place, "{memory:?}");
    }
}

#[test]
fn flexible_sizes_get_a_plan_each() {
    let body = "tensor<fp32, [?, 3]> a = t_half(x = x);
        tensor<fp32, [?, 3]> y = t_relu(x = a);";
    let checked = program("tensor<fp32, [?, 3]> x", body, "y");
    let loaded = LoadedCpu::new(checked.clone(), &Options::default()).unwrap();
    let mut session = loaded.session(None).unwrap();
    for rows in [1, 5, 0, 2, 5, 9, 17, 33, 65, 1] {
        let inputs = vec![("x".into(), Random(rows as u64).tensor(DType::Fp32, &[rows, 3]))];
        let got = session.run(&inputs).unwrap();
        assert!(session.plan().is_some());
        assert_eq!(got, reference(&checked).run(&inputs).unwrap());
    }
}

#[test]
fn sizes_known_from_data_run_op_by_op() {
    let body = "tensor<int32, [?, 1]> where = non_zero(x = x);
        tensor<fp32, [?]> y = gather_nd(x = x, indices = where, batch_dims = int32(0), validate_indices = bool(false));
        tensor<fp32, [?]> z = t_half(x = y);";
    let checked = program("tensor<fp32, [6]> x", body, "z, where");
    for values in [[1.0, 0.0, 2.0, 0.0, 0.0, 3.0], [0.0; 6]] {
        let inputs = vec![("x".into(), tensor(&[6], &values))];
        assert!(!is_planned(&checked, &inputs));
        let want = agree(&checked, &inputs, 1e-6);
        assert_eq!(want[0].1.count(), values.iter().filter(|v| **v != 0.0).count());
    }
}

#[test]
fn deep_nesting_takes_no_stack() {
    let mut body = "tensor<fp32, [2]> v = t_half(x = x);\n".to_owned();
    let (mut open, mut close) = (String::new(), String::new());
    for i in 0..60 {
        open += &format!("tensor<fp32, [2]> c{i} = cond(pred = k) () {{\n");
        close = format!(
            "tensor<fp32, [2]> e{i} = t_relu(x = v); }} -> ({})\n() {{ }} -> (x);\n{close}",
            if i == 59 { format!("e{i}") } else { format!("c{}", i + 1) }
        );
    }
    body = format!("{body}{open}{close}");
    let checked = program("tensor<fp32, [2]> x, bool k", &body, "c0");
    let inputs = vec![
        ("x".into(), tensor(&[2], &[3.0, 4.0])),
        ("k".into(), Tensor::from_i64(DType::Bool, &[], &[1]).unwrap()),
    ];
    assert_eq!(agree(&checked, &inputs, 0.0)[0].1.to_f64(), [2.5, 3.0]);
}

/// Lists grow in a loop, and so does a tensor: nothing of this can be planned.
#[test]
fn lists_and_growing_tensors_run_op_by_op() {
    let body = "int32 zero = const()[name = string(\"zero\"), val = int32(0)];
        list<tensor<fp32, [2]>, ?> empty = make_list(elem_shape = (int32(2)), init_length = int32(1));
        int32 n, list<tensor<fp32, [2]>, ?> items, tensor<fp32, [?]> long = while_loop(loop_vars = (zero, empty, x))
          (int32 i, list<tensor<fp32, [2]>, ?> l, tensor<fp32, [?]> t) {
            bool on = less(x = i, y = int32(3));
          } -> (on)
          (int32 j, list<tensor<fp32, [2]>, ?> m, tensor<fp32, [?]> u) {
            list<tensor<fp32, [2]>, ?> m2 = list_write(ls = m, index = j, value = x);
            tensor<fp32, [?]> u2 = concat(values = (u, x), axis = int32(0), interleave = bool(false));
            int32 j2 = add(x = j, y = int32(1));
          } -> (j2, m2, u2);
        int32 count = list_length(ls = items);
        tensor<fp32, [2, 2]> some = list_gather(ls = items, indices = tensor<int32, [2]>([2, 0]));";
    let checked = program("tensor<fp32, [2]> x", body, "count, some, long");
    let inputs = vec![("x".into(), tensor(&[2], &[1.0, 2.0]))];
    assert!(!is_planned(&checked, &inputs));
    let want = agree(&checked, &inputs, 0.0);
    assert_eq!(want[0].1.to_i64(), [3]);
    assert_eq!(want[1].1.to_f64(), [1.0, 2.0, 1.0, 2.0]);
    assert_eq!(want[2].1.shape(), [8]);
}

/// A classifier is planned although its outputs are a label and a dictionary.
#[test]
fn classifiers_give_a_label_and_a_dictionary() {
    let text = "tensor<fp32, [3]> p = t_half(x = x);
        list<string, 3> names = const()[name = string(\"names\"), val = list<string, 3>([\"a\", \"b\", \"c\"])];
        string label, dict<string, fp64> all = classify(probabilities = p, classes = names);";
    let checked = program("tensor<fp32, [3]> x", text, "label, all");
    let inputs = vec![("x".into(), tensor(&[3], &[1.0, 3.0, 2.0]))];
    assert!(is_planned(&checked, &inputs));
    let want = reference(&checked).run(&inputs).unwrap();
    assert_eq!(cpu(&checked, &options(2, true)).run(&inputs).unwrap(), want);
    let names: Vec<&str> = want.iter().map(|(n, _)| n.as_str()).collect();
    assert_eq!(names, ["label", "all::keys", "all::values"]);
    assert_eq!(want[0].1.strings(), ["b"]);
    assert_eq!(want[1].1.strings(), ["a", "b", "c"]);
    assert_eq!(want[2].1.to_f64(), [1.5, 2.5, 2.0]);
}

/// A label that is a number has bytes, but the op that makes it is no part of the plan.
#[test]
fn classes_may_be_numbers() {
    let text = "tensor<fp32, [3]> p = t_half(x = x);
        list<int64, 3> ids = const()[name = string(\"ids\"), val = list<int64, 3>([10, 20, 30])];
        int64 id, dict<int64, fp64> all = classify(probabilities = p, classes = ids);";
    let checked = program("tensor<fp32, [3]> x", text, "id, all");
    let inputs = vec![("x".into(), tensor(&[3], &[1.0, 3.0, 2.0]))];
    assert!(is_planned(&checked, &inputs));
    let want = reference(&checked).run(&inputs).unwrap();
    assert_eq!(cpu(&checked, &options(2, true)).run(&inputs).unwrap(), want);
    assert_eq!(want[0].1.to_i64(), [20]);
    assert_eq!(want[1].1.to_i64(), [10, 20, 30]);
}
