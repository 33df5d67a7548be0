//! What ends the process, tried in a process of its own: this test program, started again for one step.

use crate::call;
use crate::rig::{Op, P, encode, execute, last_error, stream};
use mil_doubles::behaviour;
use std::ffi::c_void;
use std::process::Command;
use std::ptr::null_mut;

/// The behaviours tried here.
pub(crate) const PROBED: [&str; 2] = ["e5rt/null-block-crashes", "e5rt/prepare-trap"];

/// Set in the process of its own: the behaviour, and whether it is broken.
const STEP: &str = "MIL_DOUBLES_STEP";

fn step(slug: &str) {
    let (op, stream) = (Op::relu(), stream());
    match slug {
        "e5rt/null-block-crashes" => {
            call!(e5rt_execution_stream_submit_async(stream.0 => P, null_mut() => *mut c_void));
        }
        _ => {
            assert_eq!(call!(e5rt_execution_stream_operation_prepare_op_for_encode(op.op.0 => P)), 0);
            assert_eq!((encode(&stream, op.op.0), execute(&stream)), (0, 0));
            let reset = call!(e5rt_execution_stream_reset(stream.0 => P));
            assert_eq!(reset != 0, behaviour::is_on(slug), "{}", last_error());
        }
    }
}

#[test]
fn what_crashes_crashes_unless_broken() {
    if let Ok(told) = std::env::var(STEP) {
        let (slug, broken) = told.split_once(' ').unwrap();
        let _broken = (broken == "broken").then(|| behaviour::break_one(slug).unwrap());
        return step(slug);
    }
    for slug in PROBED {
        for (state, survives) in [("on", false), ("broken", true)] {
            let output = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "crashes::what_crashes_crashes_unless_broken", "--nocapture"])
                .env(STEP, format!("{slug} {state}"))
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.success(), survives, "{slug} {state}: {said}");
            assert_eq!(said.contains("double: "), !survives, "{slug} {state}: {said}");
        }
    }
}
