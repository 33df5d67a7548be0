//! What is printed reads back as the program it was, and the layout of the printer is the formatter's.

mod common;
#[path = "common/random.rs"]
mod random;
#[path = "common/same.rs"]
mod same;

use mil_codec::package::read_model;
use mil_codec::text::{Dialect, Options, print, read};
use mil_ir::Program;

fn assert_round_trip(program: &Program, what: &str) {
    let text = print(program, &Options::default());
    let back = read(&text);
    assert_eq!(back.diagnostics, [], "{what}\n{text}");
    same::assert_same(program, &back.program);
    assert_eq!(print(&back.program, &Options::default()), text, "{what}");
    assert_eq!(mil_syntax::format(&text).as_ref(), Ok(&text), "{what}");
}

#[test]
fn models_from_the_shared_folder() {
    let Some(shared) = common::shared() else { return };
    let mut count = 0;
    for name in ["model.mlmodel", "input.mlmodel"] {
        for path in common::files_named(&shared.join("models"), name) {
            let package = read_model(std::fs::read(&path).unwrap().into()).unwrap();
            assert_round_trip(&package.program, &path.display().to_string());
            count += 1;
        }
    }
    assert!(count >= 9, "only {count} models");
}

#[test]
fn random_programs() {
    let count = std::env::var("MIL_PROGRAMS").ok().and_then(|n| n.parse().ok()).unwrap_or(400);
    for seed in 0..count {
        let program = random::program(&mut random::Random(seed));
        assert_round_trip(&program, &format!("seed {seed}"));
    }
}

#[test]
fn both_dialects_say_the_same() {
    for seed in 0..50 {
        let mut program = random::program(&mut random::Random(seed));
        for (dialect, version) in [(Dialect::V1_0, (1, 0)), (Dialect::V1_3, (1, 3))] {
            let text = print(&program, &Options { dialect: Some(dialect) });
            assert!(text.starts_with(&format!("program({}.{})", version.0, version.1)));
            assert_eq!(text.contains(", []>"), dialect == Dialect::V1_0 && text.contains(", []>"));
            program.version = version;
            same::assert_same(&program, &read(&text).program);
        }
    }
}

/// Damaged texts: reading and printing survive them, and what is still sound keeps its meaning. `MIL_MUTATIONS=100000`
/// widens it.
#[test]
fn mutated_texts_are_survived() {
    let count = std::env::var("MIL_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(2000);
    let mut sound = 0;
    for seed in 0..count {
        let mut random = random::Random(seed);
        let text = print(&random::program(&mut random), &Options::default());
        let mut bytes = text.into_bytes();
        for _ in 0..1 + random.below(3) {
            let at = random.below(bytes.len());
            let from = random.below(bytes.len());
            let piece = bytes[from..(from + random.below(20)).min(bytes.len())].to_vec();
            let end = (at + random.below(20)).min(bytes.len());
            match random.below(3) {
                0 => drop(bytes.drain(at..end)),
                1 => drop(bytes.splice(at..at, piece)),
                _ => bytes[at] = b' ' + random.below(95) as u8,
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        let first = read(&text);
        let printed = print(&first.program, &Options::default());
        if first.diagnostics.is_empty() {
            sound += 1;
            let second = read(&printed);
            assert_eq!(second.diagnostics, [], "seed {seed}\n{text}\n{printed}");
            assert_eq!(print(&second.program, &Options::default()), printed, "seed {seed}\n{text}");
        }
    }
    assert!(sound > count / 100, "only {sound} of {count} mutated texts were still sound");
}
