//! The examples of every page with a number, or two beside each other, changed to an extreme one: such a program is refused, or
//! runs, or fails as it runs. Nothing panics, and nothing takes long.

use mil_ops::ops::ALL;
use mil_run::{Cpu, Options, Runtime};
use mil_testkit::case::{build, checked, program_text};
use mil_testkit::page::{Example, Shows, examples};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What numbers are changed to.
const EXTREMES: [&str; 7] = ["0", "-1", "5", "65536", "2147483647", "-2147483648", "9223372036854775807"];

/// The longest that one program may take, in an unoptimised build on a busy machine.
const LONGEST: Duration = Duration::from_secs(20);

/// The places of the integers in a text: digits that neither belong to a name nor to a float.
fn integers(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'"');
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let end = at + bytes[at..].iter().take_while(|b| part(b)).count();
        if end > at && bytes[at..end].iter().all(u8::is_ascii_digit) {
            let sign = usize::from(at > 0 && bytes[at - 1] == b'-');
            found.push(at - sign..end);
        }
        at = end.max(at) + 1;
    }
    found
}

/// The programs: each page's examples, with each of their numbers, alone and with the next, changed to each extreme.
fn programs() -> Vec<(String, Example)> {
    let mut all = Vec::new();
    for example in ALL.iter().flat_map(|def| examples(def).unwrap_or_default()) {
        // A loop may turn as often as its condition says, which is no fault.
        if example.statements.contains("while_loop") {
            continue;
        }
        let places = integers(&example.statements);
        for count in [1, 2] {
            for together in places.windows(count) {
                for extreme in EXTREMES {
                    let mut changed = example.clone();
                    for place in together.iter().rev() {
                        changed.statements.replace_range(place.clone(), extreme);
                    }
                    let first = together[0].start;
                    all.push((format!("{}, {count} at {first} changed to {extreme}", example.name), changed));
                }
            }
        }
    }
    all
}

/// Checks a program and, if it is right, runs it on the inputs of its example.
fn try_out(example: &Example) {
    let Ok(right) = checked(&program_text(example)) else { return };
    let options = Options { memory_limit: Some(64 << 20), ..Options::default() };
    let Ok(loaded) = Cpu.load(Arc::new(right), &options) else { return };
    let Ok(mut session) = loaded.session(None) else { return };
    if example.shows == Shows::Values
        && let Ok(case) = build(example)
    {
        let _ = session.run(&case.inputs);
    }
}

#[test]
fn extreme_numbers_are_refused_or_survived() {
    let programs = programs();
    assert!(programs.len() > 10_000, "only {} programs", programs.len());
    let wrong: Vec<&str> = programs
        .iter()
        .filter(|(_, example)| {
            let begun = Instant::now();
            let panicked = catch_unwind(AssertUnwindSafe(|| try_out(example))).is_err();
            panicked || begun.elapsed() > LONGEST
        })
        .map(|(name, _)| name.as_str())
        .collect();
    assert!(wrong.is_empty(), "{} panicked or took long:\n{}", wrong.len(), wrong.join("\n"));
}
