//! States of a program, as inout ports.

use crate::common::{alone, checked, random, source};
use mil_apple::Kind;
use mil_base::DType;
use mil_run::{Cpu, Named, Options, Runtime, Session};
use std::sync::Arc;

fn accumulator() -> String {
    source(
        "state<tensor<fp16, [2, 33]>> sum, state<tensor<fp16, [33]>> last, tensor<fp16, [2, 33]> x",
        "tensor<fp16, [2, 33]> before = read_state(input = sum);
tensor<fp16, [33]> old = read_state(input = last);
tensor<fp16, [2, 33]> scaled = mul(x = before, y = fp16(0.5));
tensor<fp16, [2, 33]> after = add(x = scaled, y = x);
tensor<fp16, [33]> top = reduce_max(axes = tensor<int32, [1]>([0]), keep_dims = bool(false), x = after);
tensor<fp16, [33]> y = add(x = top, y = old);
write_state(data = after, input = sum);
write_state(data = top, input = last);",
        "y",
    )
}

fn sessions(source: &str) -> (Box<dyn Session>, Box<dyn Session>) {
    let checked = checked(source);
    let session = |runtime: &dyn Runtime| {
        let loaded = runtime.load(checked.clone(), &Options::default()).unwrap_or_else(|e| panic!("{e}"));
        loaded.session(None).unwrap_or_else(|e| panic!("{e}"))
    };
    (session(&*mil_apple::runtime(Kind::E5rt).unwrap()), session(&Cpu))
}

fn bytes(named: &[Named]) -> Vec<(String, Vec<u8>)> {
    named.iter().map(|(n, t)| (n.to_string(), t.bytes().to_vec())).collect()
}

#[test]
fn states_follow_the_cpu_runtime_over_many_steps() {
    let _alone = alone();
    let (mut ours, mut cpu) = sessions(&accumulator());
    assert_eq!(bytes(&ours.states()), bytes(&cpu.states()), "both begin with zero");
    for step in 0..200 {
        let x = vec![("x".into(), random(DType::Fp16, &[2, 33], step))];
        assert_eq!(bytes(&ours.run(&x).unwrap()), bytes(&cpu.run(&x).unwrap()), "step {step}");
        assert_eq!(bytes(&ours.states()), bytes(&cpu.states()), "step {step}");
        if step == 100 {
            let value = random(DType::Fp16, &[2, 33], 999);
            ours.set_state("sum", &value).unwrap();
            cpu.set_state("sum", &value).unwrap();
        }
    }
}

#[test]
fn sessions_have_states_of_their_own() {
    let _alone = alone();
    let checked = checked(&accumulator());
    let loaded = mil_apple::runtime(Kind::E5rt).unwrap().load(checked, &Options::default()).unwrap();
    let (mut a, mut b) = (loaded.session(None).unwrap(), loaded.session(None).unwrap());
    let x = vec![("x".into(), random(DType::Fp16, &[2, 33], 1))];
    let first = bytes(&a.run(&x).unwrap());
    a.run(&x).unwrap();
    assert_eq!(bytes(&b.run(&x).unwrap()), first);
}

#[test]
fn a_state_that_is_not_there_or_does_not_fit_is_refused() {
    let _alone = alone();
    let (mut session, _) = sessions(&accumulator());
    let value = Arc::new(random(DType::Fp16, &[33], 1));
    assert!(session.set_state("nowhere", &value).unwrap_err().to_string().contains("no state `nowhere`"));
    assert!(session.set_state("sum", &value).unwrap_err().to_string().contains("apple/port-type"));
    session.set_state("last", &value).unwrap();
}
