//! Every call fails once, at each of its uses: a typed error that names it, and nothing stays alive.

use crate::common::{alone, checked, source};
use mil_apple::BridgeError;
use mil_apple::e5rt::{Api, Devices, Draft, Event, Program};
use mil_doubles::e5rt::{fail, live, loaded};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Uses every call that the bridge knows.
fn everything(api: &Arc<Api>) -> Result<(), BridgeError> {
    let text = source(
        "state<tensor<fp16, [2, 3]>> s, tensor<fp16, [2, 3]> x",
        "tensor<fp16, [2, 3]> r = read_state(input = s);
tensor<fp16, [2, 3]> y = add(x = r, y = x);
write_state(data = y, input = s);",
        "y",
    );
    let program = Program::compile(api, checked(&text), Devices::NeuralEngine)?;
    let event = Event::new(api, "done")?;
    let mut draft = Draft::new(api);
    let first = draft.add(&program, None)?;
    let second = draft.add(&program, Some("main"))?;
    draft.connect((first, "y"), (second, "x"))?;
    draft.tell(first, &event)?;
    draft.wait_for(second, std::slice::from_ref(&event))?;
    event.expect(1)?;
    event.signal(1)?;
    event.value()?;
    event.wait(1, Duration::from_secs(1))?;
    let mut stream = draft.encode()?;
    stream.run()?;
    let stream = stream.submit()?.wait(Duration::from_secs(20)).expect("the completion comes");
    stream.read(second, "y").map(drop)
}

#[test]
fn every_call_that_fails_is_a_typed_error_and_leaks_nothing() {
    let _alone = alone();
    let api = Api::load().unwrap();
    mil_doubles::notes::take();
    everything(&api).unwrap();
    assert_eq!((live(), loaded()), (BTreeMap::new(), 0));
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    for note in mil_doubles::notes::take().into_iter().filter(|n| n.starts_with("e5rt_")) {
        *uses.entry(note).or_default() += 1;
    }
    assert!(uses.len() >= 50, "{} calls", uses.len());
    for (call, count) in uses {
        for skip in 0..count {
            let failing = fail(&call, skip);
            let result = everything(&api);
            drop(failing);
            if call.ends_with("_release") {
                // Nothing can be done about a release that fails, and what was refused stays.
                result.unwrap_or_else(|e| panic!("{call}: {e}"));
                let left: usize = live().values().sum();
                assert_eq!(left, 1, "{call}, use {skip}: {:?}", live());
                mil_doubles::e5rt::forget_all();
                continue;
            }
            match result {
                Err(BridgeError::Status { call: named, status: 2, text }) => {
                    assert_eq!(named, call);
                    assert_eq!(text, "invalid operation: double: this call was told to fail");
                }
                other => panic!("{call}, use {skip}: {other:?}"),
            }
            assert_eq!((live(), loaded()), (BTreeMap::new(), 0), "{call}, use {skip}");
        }
    }
}

#[test]
fn a_status_carries_its_meaning_without_the_librarys_words() {
    let _alone = alone();
    let api = Api::load().unwrap();
    let _silent = mil_doubles::behaviour::break_one("e5rt/last-error-text").unwrap();
    let _failing = fail("e5rt_e5_compiler_compile", 0);
    let error = everything(&api).unwrap_err();
    assert_eq!(error.to_string(), "e5rt_e5_compiler_compile answered with status 2: invalid operation");
}
