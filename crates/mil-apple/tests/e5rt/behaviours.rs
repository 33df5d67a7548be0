//! One behaviour of the double is broken at a time, and the bridge either notices or is known not to depend on it.

use crate::common::{alone, checked, program, random, source};
use crate::streams::{layer, recurrent};
use mil_apple::e5rt::{Api, Devices, Draft, Event, Program};
use mil_base::{DType, Tensor};
use mil_doubles::behaviour;
use std::time::Duration;

/// What a user of the bridge sees, gathered into words.
fn seen() -> Vec<String> {
    let mut seen = Vec::new();
    let mut say = |what: &str, result: Result<String, String>| {
        seen.push(match result {
            Ok(text) => format!("{what}: {text}"),
            Err(text) => format!("{what} failed: {text}"),
        });
    };
    let api = match Api::load() {
        Ok(api) => api,
        Err(e) => return vec![e.to_string()],
    };
    let compile = |text: &str, devices| Program::compile(&api, checked(text), devices);
    let text =
        |r: Result<_, mil_apple::BridgeError>| r.map(|_: ()| "fine".to_owned()).map_err(|e| e.to_string());
    let tan = source("tensor<fp16, [3]> x", "tensor<fp16, [3]> y = tan(x = x);", "y");
    let fp32 = source("tensor<fp32, [3]> x", "tensor<fp32, [3]> y = relu(x = x);", "y");
    let state = source(
        "state<tensor<fp16, [3]>> s, tensor<fp16, [3]> x",
        "tensor<fp16, [3]> r = read_state(input = s); tensor<fp16, [3]> y = add(x = r, y = x); write_state(data = y, input = s);",
        "y",
    );
    for (what, source, devices) in [
        ("an op the engine lacks", &tan, Devices::NeuralEngine),
        ("the same for any device", &tan, Devices::Any),
        ("fp32 at the boundary", &fp32, Devices::NeuralEngine),
        ("a state", &state, Devices::NeuralEngine),
    ] {
        say(what, text(compile(source, devices).map(drop)));
    }
    let run = || -> Result<String, mil_apple::BridgeError> {
        let mut draft = Draft::new(&api);
        let event = Event::new(&api, "done")?;
        let step = draft.add(&program(&api, &recurrent()), None)?;
        let tanh = source("tensor<fp16, [2, 33]> x", "tensor<fp16, [2, 33]> y = tanh(x = x);", "y");
        let after = draft.add(&program(&api, &tanh), None)?;
        draft.connect((step, "next"), (after, "x"))?;
        draft.connect((after, "y"), (step, "h"))?;
        draft.tell(after, &event)?;
        event.expect(3)?;
        let mut stream = draft.encode()?;
        let mut sum = 0.0;
        for n in 0..3 {
            stream.write(step, "x", &random(DType::Fp16, &[2, 33], n))?;
            stream.run()?;
            sum += stream.read(after, "y")?.to_f64().iter().map(|v| v.abs()).sum::<f64>();
        }
        let quiet = event.value()?;
        let stream = stream.submit()?.wait(Duration::from_secs(20)).expect("the completion comes");
        let last: Tensor = stream.read(after, "y")?;
        Ok(format!("{sum} {quiet} {} {:?}", event.value()?, &last.bytes()[..8]))
    };
    say("a run", run().map_err(|e| e.to_string()));
    let plain = || -> Result<String, mil_apple::BridgeError> {
        let mut draft = Draft::new(&api);
        let id = draft.add(&program(&api, &layer("relu(x = x)")), None)?;
        let mut stream = draft.encode()?;
        stream.run()?;
        stream.read(id, "y").map(|_| "read".to_owned())
    };
    say("a result", plain().map_err(|e| e.to_string()));
    let broken = || -> Result<(), mil_apple::BridgeError> {
        let _failing = mil_doubles::e5rt::fail("e5rt_execution_stream_create", 0);
        Draft::new(&api).encode().map(drop)
    };
    say("a failure", text(broken()));
    let crowd = || -> Result<String, mil_apple::BridgeError> {
        let one = program(&api, &layer("relu(x = x)"));
        let mut draft = Draft::new(&api);
        for _ in 0..129 {
            draft.add(&one, None)?;
        }
        Ok("129 operations".to_owned())
    };
    say("a crowd", crowd().map_err(|e| e.to_string()));
    say("what is left", Ok(format!("{:?}", mil_doubles::e5rt::live().keys().collect::<Vec<_>>().len() > 2)));
    drop(api);
    seen.push(format!("left: {:?}", mil_doubles::e5rt::live()));
    mil_doubles::e5rt::forget_all();
    seen
}

/// What the bridge does not depend on, with the reason. The probes of `mil-doubles` notice each of them.
const INDEPENDENT: &[(&str, &str)] = &[
    ("e5rt/config-required", "a configuration is always given"),
    ("e5rt/padded-rows", "the strides are asked for"),
    ("e5rt/strides-in-bytes", "the unit is found from the numbers"),
    ("e5rt/buffer-types", "only host memory is used"),
    ("e5rt/buffer-multiple-of-64", "sizes are rounded up"),
    ("e5rt/frozen-after-encode", "everything is bound before"),
    ("e5rt/ports-bound", "everything is bound before"),
    ("e5rt/zero-handle", "a handle of 0 is an error where it is made"),
    ("e5rt/null-block-crashes", "there is always a block"),
    ("e5rt/old-submit-withdrawn", "the old name is not used"),
    ("e5rt/one-stream-at-a-time", "streams take turns"),
    ("e5rt/in-flight-limit", "one request is in flight at a time"),
    ("e5rt/event-third-argument", "it is 0"),
    ("e5rt/event-name", "there is always a name"),
    ("e5rt/reset-fresh-stream", "streams are not reset"),
    ("e5rt/prepare-trap", "the call is not used"),
    ("e5rt/load-withdrawn", "the call is not used"),
    ("e5rt/chip-bound", "programs are compiled where they run"),
    ("e5rt/target-architecture-ignored", "the option is not used"),
    ("e5rt/bundle-reuse", "bundles are not opened again"),
    ("e5rt/status-text-is-c", "the call is not used"),
    ("e5rt/out-first", "the order is the documented one"),
];

#[test]
fn each_broken_behaviour_is_noticed_or_does_not_matter() {
    let _alone = alone();
    let sound = seen();
    assert_eq!(seen(), sound, "the same twice");
    for b in behaviour::all().filter(|b| b.slug.starts_with("e5rt/")) {
        let broken = behaviour::break_one(b.slug).unwrap();
        let now = seen();
        drop(broken);
        let independent = INDEPENDENT.iter().any(|(slug, _)| *slug == b.slug);
        assert_eq!(now == sound, independent, "`{}`:\n{sound:#?}\n{now:#?}", b.slug);
    }
    assert!(INDEPENDENT.iter().all(|(slug, _)| behaviour::all().any(|b| b.slug == *slug)));
}
