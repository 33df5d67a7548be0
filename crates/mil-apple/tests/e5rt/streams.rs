//! Several operations in one stream, and outputs that are inputs.

use crate::common::{alone, checked, on_cpu, program, random, source};
use mil_apple::e5rt::{Api, Draft, E5rt, OperationId, Options, Program, Stream};
use mil_base::{DType, Tensor};
use mil_doubles::behaviour;
use mil_run::Runtime;
use std::sync::Arc;

const SHAPE: [usize; 3] = [2, 3, 33];

/// A layer from `x` to `y`; the width is odd, so that rows are padded.
pub(crate) fn layer(op: &str) -> String {
    source("tensor<fp16, [2, 3, 33]> x", &format!("tensor<fp16, [2, 3, 33]> y = {op};"), "y")
}

const LAYERS: [&str; 4] = [
    "mul(x = x, y = fp16(1.5))",
    "softmax(axis = int32(-1), x = x)",
    "add(x = x, y = fp16(0.25))",
    "tanh(x = x)",
];

/// One operation a layer, each fed by the one before.
fn chain(api: &Arc<Api>, programs: &[Arc<Program>]) -> (Stream, Vec<OperationId>) {
    let mut draft = Draft::new(api);
    let ids: Vec<OperationId> = programs.iter().map(|p| draft.add(p, None).unwrap()).collect();
    for pair in ids.windows(2) {
        draft.connect((pair[0], "y"), (pair[1], "x")).unwrap();
    }
    (draft.encode().unwrap(), ids)
}

fn on_cpu_y(source: &str, x: &Tensor) -> Tensor {
    on_cpu(&checked(source), &[("x".into(), x.clone())])[0].1.clone()
}

/// The stream equals running one layer after another, with every intermediate result.
pub(crate) fn a_chain_equals_its_layers() {
    let api = Api::load().unwrap();
    let programs: Vec<_> = LAYERS.iter().map(|op| program(&api, &layer(op))).collect();
    let (mut stream, ids) = chain(&api, &programs);
    for seed in 0..3 {
        let mut x = random(DType::Fp16, &SHAPE, seed);
        stream.write(ids[0], "x", &x).unwrap();
        stream.run().unwrap();
        for (id, op) in ids.iter().zip(LAYERS) {
            x = on_cpu_y(&layer(op), &x);
            assert_eq!(stream.read(*id, "y").unwrap().bytes(), x.bytes(), "seed {seed}, {op}");
        }
    }
}

#[test]
fn a_stream_equals_running_one_after_another() {
    let _alone = alone();
    a_chain_equals_its_layers();
}

#[test]
fn it_does_whatever_the_layout_of_ports() {
    let _alone = alone();
    for slug in ["e5rt/padded-rows", "e5rt/strides-in-bytes", "e5rt/reset-fresh-stream", "e5rt/bundle-reuse"]
    {
        let _broken = behaviour::break_one(slug).unwrap();
        a_chain_equals_its_layers();
    }
    let _unpadded = behaviour::break_one("e5rt/padded-rows").unwrap();
    // Without a word about ports they are taken to be dense, which they then must be.
    let _silent = behaviour::break_one("e5rt/port-introspection").unwrap();
    a_chain_equals_its_layers();
}

#[test]
fn one_program_can_be_several_operations() {
    let _alone = alone();
    let api = Api::load().unwrap();
    let double = program(&api, &layer("add(x = x, y = x)"));
    let (mut stream, ids) = chain(&api, &vec![double; 5]);
    let x = random(DType::Fp16, &SHAPE, 1);
    stream.write(ids[0], "x", &x).unwrap();
    stream.run().unwrap();
    let want: Vec<f64> = x.to_f64().iter().map(|v| v * 32.0).collect();
    assert_eq!(stream.read(ids[4], "y").unwrap().to_f64(), want);
}

#[test]
fn an_output_feeds_several_inputs() {
    let _alone = alone();
    let api = Api::load().unwrap();
    let (shared, left, right) = (layer(LAYERS[0]), layer("tanh(x = x)"), layer("relu(x = x)"));
    let mut draft = Draft::new(&api);
    let ids = [&shared, &left, &right].map(|s| draft.add(&program(&api, s), None).unwrap());
    draft.connect((ids[0], "y"), (ids[1], "x")).unwrap();
    draft.connect((ids[0], "y"), (ids[2], "x")).unwrap();
    let mut stream = draft.encode().unwrap();
    let x = random(DType::Fp16, &SHAPE, 9);
    stream.write(ids[0], "x", &x).unwrap();
    stream.run().unwrap();
    let y = on_cpu_y(&shared, &x);
    assert_eq!(stream.read(ids[1], "y").unwrap().bytes(), on_cpu_y(&left, &y).bytes());
    assert_eq!(stream.read(ids[2], "y").unwrap().bytes(), on_cpu_y(&right, &y).bytes());
}

/// h' = 0.5 h + x, many steps, without a copy of h.
pub(crate) const RECURRENT: &str = "tensor<fp16, [2, 33]> half = mul(x = h, y = fp16(0.5));
tensor<fp16, [2, 33]> next = add(x = half, y = x);";

pub(crate) fn recurrent() -> String {
    source("tensor<fp16, [2, 33]> h, tensor<fp16, [2, 33]> x", RECURRENT, "next")
}

#[test]
fn an_output_that_is_its_own_input_stays_resident() {
    let _alone = alone();
    let options = Options { resident: vec![("next".into(), "h".into())], ..Options::default() };
    let checked = checked(&recurrent());
    let loaded = E5rt::new(options).unwrap().load(checked.clone(), &mil_run::Options::default()).unwrap();
    let mut session = loaded.session(None).unwrap();
    let mut h = Tensor::zeros(DType::Fp16, &[2, 33]).unwrap();
    for step in 0..200 {
        let x = random(DType::Fp16, &[2, 33], step);
        if step == 100 {
            h = random(DType::Fp16, &[2, 33], 1000);
        }
        let want = on_cpu(&checked, &[("h".into(), h), ("x".into(), x.clone())])[0].1.clone();
        let mut given = vec![("x".into(), x)];
        if step == 100 {
            // Given once, it is set.
            given.push(("h".into(), random(DType::Fp16, &[2, 33], 1000)));
        }
        let got = session.run(&given).unwrap();
        assert_eq!(got[0].1.bytes(), want.bytes(), "step {step}");
        h = want;
    }
}

#[test]
fn resident_state_passes_through_several_operations() {
    let _alone = alone();
    let api = Api::load().unwrap();
    let mut draft = Draft::new(&api);
    let step = draft.add(&program(&api, &recurrent()), None).unwrap();
    let squash = source("tensor<fp16, [2, 33]> x", "tensor<fp16, [2, 33]> y = tanh(x = x);", "y");
    let after = draft.add(&program(&api, &squash), None).unwrap();
    draft.connect((step, "next"), (after, "x")).unwrap();
    draft.connect((after, "y"), (step, "h")).unwrap();
    let mut stream = draft.encode().unwrap();
    let mut h = random(DType::Fp16, &[2, 33], 5);
    stream.write(step, "h", &h).unwrap();
    for n in 0..50 {
        let x = random(DType::Fp16, &[2, 33], n);
        stream.write(step, "x", &x).unwrap();
        stream.run().unwrap();
        let next = on_cpu(&checked(&recurrent()), &[("h".into(), h), ("x".into(), x)])[0].1.clone();
        h = on_cpu_y(&squash, &next);
        assert_eq!(stream.read(after, "y").unwrap().bytes(), h.bytes(), "step {n}");
    }
}

#[test]
fn what_cannot_be_connected_is_refused() {
    let _alone = alone();
    let api = Api::load().unwrap();
    let mut draft = Draft::new(&api);
    let a = draft.add(&program(&api, &layer("relu(x = x)")), None).unwrap();
    let other = source("tensor<fp16, [6, 33]> x", "tensor<fp16, [6, 33]> y = relu(x = x);", "y");
    let b = draft.add(&program(&api, &other), None).unwrap();
    let message = |from, to| draft_error(&mut Draft::new(&api), &api, from, to);
    assert!(draft.connect((a, "y"), (b, "x")).unwrap_err().to_string().contains("cannot share a buffer"));
    assert!(message("y", "nowhere").contains("no such port `nowhere`"));
    assert!(message("x", "x").contains("no such port `x`"), "an input gives nothing");
    // A number of another draft.
    let foreign = Draft::new(&api).connect((b, "y"), (b, "x"));
    assert!(foreign.unwrap_err().to_string().contains("another stream"));
    let mut stream = draft.encode().unwrap();
    let wrong = stream.write(a, "x", &random(DType::Fp32, &SHAPE, 1)).unwrap_err();
    assert_eq!(wrong.code(), "apple/port-type");
}

fn draft_error(draft: &mut Draft, api: &Arc<Api>, from: &str, to: &str) -> String {
    let id = draft.add(&program(api, &layer("relu(x = x)")), None).unwrap();
    draft.connect((id, from), (id, to)).unwrap_err().to_string()
}

#[test]
fn an_output_that_was_not_written_is_an_error() {
    let _alone = alone();
    let api = Api::load().unwrap();
    let mut draft = Draft::new(&api);
    let id = draft.add(&program(&api, &layer("relu(x = x)")), None).unwrap();
    let mut stream = draft.encode().unwrap();
    assert_eq!(stream.read(id, "y").unwrap_err().code(), "apple/nothing-written", "it has not run yet");
    stream.run().unwrap();
    stream.read(id, "y").unwrap();
    let _broken = behaviour::break_one("e5rt/outputs-written").unwrap();
    stream.run().unwrap();
    assert_eq!(stream.read(id, "y").unwrap_err().code(), "apple/nothing-written");
}
