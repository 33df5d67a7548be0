//! Runs that are submitted: completions, events, turns.

use crate::common::{alone, program, random};
use crate::streams::layer;
use mil_apple::BridgeError;
use mil_apple::e5rt::{Api, Draft, Event, OperationId, Pending, Stream};
use mil_base::DType;
use std::sync::Arc;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);
const NOW: Duration = Duration::from_millis(20);

fn relu(api: &Arc<Api>) -> (Draft, OperationId) {
    let mut draft = Draft::new(api);
    let id = draft.add(&program(api, &layer("relu(x = x)")), None).unwrap();
    (draft, id)
}

fn finished(pending: Pending) -> Stream {
    pending.wait(SOON).unwrap_or_else(|_| panic!("the completion never came"))
}

#[test]
fn a_submitted_run_gives_the_stream_back_with_its_results() {
    let _alone = alone();
    let api = Api::load().unwrap();
    let (draft, id) = relu(&api);
    let mut stream = draft.encode().unwrap();
    for seed in 0..20 {
        let x = random(DType::Fp16, &[2, 3, 33], seed);
        stream.write(id, "x", &x).unwrap();
        stream = finished(stream.submit().unwrap());
        let want: Vec<f64> = x.to_f64().iter().map(|v| v.max(0.0)).collect();
        assert_eq!(stream.read(id, "y").unwrap().to_f64(), want);
    }
}

#[test]
fn events_hold_a_run_back_and_tell_its_end() {
    let _alone = alone();
    let api = Api::load().unwrap();
    let (gate, done) = (Event::new(&api, "gate").unwrap(), Event::new(&api, "done").unwrap());
    let (mut draft, id) = relu(&api);
    draft.wait_for(id, std::slice::from_ref(&gate)).unwrap();
    draft.tell(id, &done).unwrap();
    gate.expect(1).unwrap();
    done.expect(7).unwrap();
    let pending = draft.encode().unwrap().submit().unwrap();
    let pending = pending.wait(NOW).expect_err("the gate is shut");
    assert!(!pending.is_done() && done.wait(7, NOW).is_err() && done.value().unwrap() == 0);
    gate.signal(1).unwrap();
    done.wait(7, SOON).unwrap();
    let mut stream = finished(pending);
    assert_eq!(done.value().unwrap(), 7);
    // Events do not advance in runs that are not submitted.
    done.expect(8).unwrap();
    stream.run().unwrap();
    assert_eq!(done.value().unwrap(), 7);
}

#[test]
fn a_pending_run_that_is_dropped_is_waited_for() {
    let _alone = alone();
    let before = mil_doubles::e5rt::live();
    let api = Api::load().unwrap();
    let (draft, _) = relu(&api);
    drop(draft.encode().unwrap().submit().unwrap());
    assert_eq!(mil_doubles::e5rt::live(), before);
}

/// Several streams at once lose completions; taking turns they do not.
#[test]
fn streams_of_several_threads_take_turns() {
    let _alone = alone();
    let api = Api::load().unwrap();
    let lost = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|seed| {
                let api = &api;
                scope.spawn(move || {
                    let (draft, id) = relu(api);
                    let mut stream = draft.encode().unwrap();
                    let x = random(DType::Fp16, &[2, 3, 33], seed);
                    let want: Vec<f64> = x.to_f64().iter().map(|v| v.max(0.0)).collect();
                    for n in 0..25 {
                        stream.write(id, "x", &x).unwrap();
                        match n % 2 {
                            0 => stream.run().unwrap(),
                            _ => stream = finished(stream.submit().unwrap()),
                        }
                        assert_eq!(stream.read(id, "y").unwrap().to_f64(), want);
                    }
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join()).filter(Result::is_err).count()
    });
    assert_eq!(lost, 0);
    let notes = mil_doubles::notes::take();
    assert!(!notes.iter().any(|n| n.contains("a completion was lost")));
}

#[test]
fn a_submission_that_is_refused_gives_the_turn_back() {
    let _alone = alone();
    let api = Api::load().unwrap();
    let failing = mil_doubles::e5rt::fail("e5rt_execution_stream_submit_async", 0);
    let (draft, _) = relu(&api);
    let error = draft.encode().unwrap().submit().expect_err("told to fail");
    assert!(matches!(error, BridgeError::Status { status: 2, .. }), "{error}");
    drop(failing);
    let (draft, _) = relu(&api);
    finished(draft.encode().unwrap().submit().unwrap());
}
