//! The double of the e5rt calls, used as C would use it: by name, with handles and out-pointers.
//!
//! Every behaviour has a probe, which holds while it is on and fails while it is broken.

mod crashes;
mod probes;
mod rig;

use mil_doubles::behaviour;
use std::collections::BTreeSet;

#[test]
fn every_behaviour_has_a_probe_that_notices() {
    let _alone = rig::alone();
    let mut probed = BTreeSet::new();
    for (slug, probe) in probes::ALL {
        assert!(probed.insert(*slug), "`{slug}` stands twice");
        assert!(probe(), "`{slug}` is not as documented");
        let broken = behaviour::break_one(slug).unwrap_or_else(|| panic!("`{slug}` is in no table"));
        assert!(!probe(), "`{slug}` is broken and nobody noticed");
        drop(broken);
        assert!(probe(), "`{slug}` did not mend");
    }
    probed.extend(crashes::PROBED);
    let all: BTreeSet<&str> = behaviour::all().map(|b| b.slug).filter(|s| s.starts_with("e5rt/")).collect();
    assert_eq!(probed, all);
}

#[test]
fn nothing_is_left_alive_after_a_run() {
    let _alone = rig::alone();
    {
        let op = rig::Op::relu();
        op.set("x", &[1.0, -2.0, 3.0]);
        assert_eq!(rig::run(&[&op]), 0);
        assert_eq!(op.get("y"), [1.0, 0.0, 3.0]);
    }
    assert!(mil_doubles::e5rt::live().is_empty(), "{:?}", mil_doubles::e5rt::live());
    assert_eq!(mil_doubles::e5rt::loaded(), 0);
}

#[test]
fn a_call_that_is_told_to_fail_fails_then_and_once() {
    let _alone = rig::alone();
    let failing = mil_doubles::e5rt::fail("e5rt_execution_stream_create", 1);
    let make = || {
        let mut stream = std::ptr::null_mut();
        let status = call!(e5rt_execution_stream_create(&raw mut stream => *mut rig::P));
        (status, rig::Owned::new(stream, "e5rt_execution_stream_release"))
    };
    assert_eq!(make().0, 0);
    assert_eq!(make().0, 2);
    assert_eq!(make().0, 0);
    drop(failing);
    drop(mil_doubles::e5rt::fail("e5rt_execution_stream_create", 0));
    assert_eq!(make().0, 0);
}

#[test]
fn a_stale_handle_is_answered_with_a_status() {
    let _alone = rig::alone();
    let mut stream = std::ptr::null_mut();
    assert_eq!(call!(e5rt_execution_stream_create(&raw mut stream => *mut rig::P)), 0);
    let mut again = stream;
    assert_eq!(call!(e5rt_execution_stream_release(&raw mut stream => *mut rig::P)), 0);
    assert!(stream.is_null());
    assert_eq!(call!(e5rt_execution_stream_execute_sync(again => rig::P)), 1);
    assert_eq!(call!(e5rt_execution_stream_release(&raw mut again => *mut rig::P)), 1);
    assert!(rig::last_error().contains("invalid execution stream handle"), "{}", rig::last_error());
}
