//! The lab notices what is broken: each documented behaviour of the doubles is switched off in turn, and an experiment's verdict changes.

use mil_doubles::behaviour;
use mil_lab::{find, run};
use std::collections::BTreeSet;
use std::time::Duration;

/// Behaviours, each with an experiment that is no longer repeated without it.
const SEEN: &[(&str, &str)] = &[
    ("ane/staged-files", "in-memory-rules"),
    ("ane/io-types", "in-memory-rules"),
    ("ane/alphabetical-inputs", "in-memory-rules"),
    ("ane/alphabetical-outputs", "in-memory-rules"),
    ("ane/writes-outputs", "v2-9"),
    ("ane/real-time-without-entitlement", "v2-5"),
    ("ane/begin-real-time-refused", "v2-5"),
    ("ane/map-fails", "N"),
    ("ane/shared-events-stall", "shared-events"),
    ("ane/shared-events-crash-process-request", "shared-events"),
    ("ane/output-set-needs-stats", "v2-4"),
    ("ane/chaining-validate", "v1"),
    ("ane/loopback-is-an-array", "F"),
    ("ane/chaining-needs-uuid", "v2-7"),
    ("ane/chaining-prepare-15", "P"),
    ("ane/buffers-ready-no", "P"),
    ("coreml/outputs-are-written", "U"),
    ("coreml/small-ops-stay-on-the-cpu", "compute-plan"),
    ("mle5/programs-run-on-e5", "Q"),
    ("mle5/library-has-container", "Q"),
    ("mle5/cache-is-writable", "T"),
    ("mle5/zero-handle-does-nothing", "U"),
    ("mle5/used-stream-refuses-submission", "W4"),
    ("mle5/packed-inputs-bind-directly", "W5"),
    ("e5rt/outputs-written", "e5rt-stream"),
    ("e5rt/order-of-encoding", "e5rt-stream"),
    ("e5rt/runs-again", "e5rt-stream"),
];

const E5RT: &str = "the bridge never does what would show it; mil-apple's tests/e5rt/behaviours.rs breaks every behaviour of e5rt";
/// Behaviours that no experiment can see, each with the reason.
const NOT_SEEN: &[(&str, &str)] = &[
    ("ane/nil-weights-crash", "the bridge never gives nil in place of weights"),
    (
        "ane/compile-budget",
        "an experiment may not use up the compiles of its process; mil-apple's tests/ane/compiling.rs does",
    ),
    ("ane/load-limit", "an experiment may not load 127 programs"),
    ("ane/equal-input-sizes", "the bridge makes all surfaces of a side equally large"),
    ("ane/equal-output-sizes", "the bridge makes all surfaces of a side equally large"),
    ("ane/symbol-indices", "the bridge takes the indices that the program states"),
    (
        "ane/no-performance-stats",
        "the bridge gives no place for statistics, without which there are none either way",
    ),
    (
        "coreml/rows-are-padded",
        "the bridge reads the strides of every array; mil-apple's tests/coreml.rs breaks it",
    ),
    ("coreml/state-stays", "the research has no state; mil-apple's tests/coreml.rs breaks it"),
    ("mle5/impl-has-container", "asked only where the library has no container; mil-apple's tests/mle5.rs"),
    (
        "mle5/old-container-has-path",
        "asked only where neither library nor implementation has a container; mil-apple's tests/mle5.rs",
    ),
    ("mle5/features-equal-description", "the host model is made with the program's own names and shapes"),
    ("e5rt/config-required", E5RT),
    ("e5rt/out-first", E5RT),
    ("e5rt/release-by-address", E5RT),
    ("e5rt/mask-4-refuses", E5RT),
    ("e5rt/mask-7-falls-back", E5RT),
    ("e5rt/io-types", E5RT),
    ("e5rt/states-are-inout", E5RT),
    ("e5rt/padded-rows", E5RT),
    ("e5rt/strides-in-bytes", E5RT),
    ("e5rt/port-introspection", E5RT),
    ("e5rt/buffer-types", E5RT),
    ("e5rt/buffer-multiple-of-64", E5RT),
    ("e5rt/frozen-after-encode", E5RT),
    ("e5rt/ports-bound", E5RT),
    ("e5rt/zero-handle", E5RT),
    ("e5rt/null-block-crashes", E5RT),
    ("e5rt/old-submit-withdrawn", E5RT),
    ("e5rt/one-stream-at-a-time", E5RT),
    ("e5rt/in-flight-limit", E5RT),
    ("e5rt/event-third-argument", E5RT),
    ("e5rt/event-name", E5RT),
    ("e5rt/events-still-under-sync", E5RT),
    ("e5rt/reset-fresh-stream", E5RT),
    ("e5rt/prepare-trap", E5RT),
    ("e5rt/load-withdrawn", E5RT),
    ("e5rt/chip-bound", E5RT),
    ("e5rt/target-architecture-ignored", E5RT),
    ("e5rt/bundle-reuse", E5RT),
    ("e5rt/loaded-limit", E5RT),
    ("e5rt/status-text-is-c", E5RT),
    ("e5rt/last-error-text", E5RT),
];

#[test]
fn every_behaviour_is_noticed_or_says_why_not() {
    let options = run::Options { budget: Duration::ZERO, ..run::Options::default() };
    let repeated = |id: &str| run::run(find(id).unwrap(), &options).unwrap().verdict.is_repeated();
    let mut unnoticed = Vec::new();
    for (slug, id) in SEEN {
        let Some(broken) = behaviour::break_one(slug) else { panic!("there is no behaviour `{slug}`") };
        if repeated(id) {
            unnoticed.push(format!("{id} does not notice that `{slug}` is broken"));
        }
        drop(broken);
        mil_doubles::ane::forget();
        if !repeated(id) {
            unnoticed.push(format!("{id} is not repeated after `{slug}` was mended"));
        }
    }
    assert!(unnoticed.is_empty(), "{}", unnoticed.join("\n"));
}

#[test]
fn the_list_is_complete() {
    let listed: BTreeSet<&str> = SEEN.iter().chain(NOT_SEEN).map(|(slug, _)| *slug).collect();
    assert_eq!(listed.len(), SEEN.len() + NOT_SEEN.len(), "a behaviour stands twice");
    let known: BTreeSet<&str> = behaviour::all().map(|b| b.slug).collect();
    assert_eq!(listed, known);
}
