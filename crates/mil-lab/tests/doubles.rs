//! Every experiment against the doubles gives its documented outcome.

use mil_lab::{Ground, Record, Verdict, confirm, find, in_order, run};
use std::process::Command;
use std::time::{Duration, Instant};

fn options() -> run::Options {
    run::Options { budget: Duration::ZERO, ..run::Options::default() }
}

#[test]
fn every_experiment_gives_its_documented_outcome() {
    let mut wrong = Vec::new();
    for card in in_order() {
        let begun = Instant::now();
        let record = run::run(card, &options()).unwrap();
        println!("{}: {:.2} s", card.id, begun.elapsed().as_secs_f64());
        assert_eq!(record.ground, Ground::Double);
        if record.verdict != Verdict::Repeated {
            wrong.push(format!("{}: {}", card.id, record.verdict));
        }
        honest(&record);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Nothing of a double says "Neural Engine", times have a spread, and every path that gave a result says where it ran.
fn honest(record: &Record) {
    let (id, found) = (&record.experiment, &record.observation);
    assert!(record.label().starts_with("double"));
    for placed in &found.placements {
        assert!(
            placed.text.starts_with("double") && !placed.text.contains("Neural Engine"),
            "{id}: {}",
            placed.text
        );
    }
    for figure in found.figures.iter().filter(|f| f.name == "latency") {
        let s = figure.spread;
        assert!(s.runs > 1 && s.p10 <= s.median && s.median <= s.p90, "{id}: {figure:?}");
    }
    let computed = found.findings.iter().filter(|f| f.value.to_string() == "computed");
    for finding in computed {
        let path = finding.name.split(' ').next().unwrap_or_default();
        assert!(
            found.placements.iter().any(|p| p.of.starts_with(path)),
            "{id}: {path} does not say where it ran"
        );
    }
}

/// What a shell's command makes of an experiment that runs in a process of its own.
fn isolated(script: &str, limit: Duration) -> Verdict {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    let options = run::Options { limit, ..options() };
    run::isolated(find("Z1").unwrap(), &options, command).unwrap().verdict
}

#[test]
fn a_process_that_dies_or_hangs_is_a_verdict() {
    let long = Duration::from_secs(60);
    let died = isolated("echo the last words >&2; kill -9 $$", long).to_string();
    assert!(died.contains("died (signal 9)") && died.contains("the last words"), "{died}");
    let hung = isolated("exec sleep 60", Duration::from_millis(50)).to_string();
    assert!(hung.contains("it hung"), "{hung}");
    let nonsense = isolated("echo '{}'", long);
    assert!(matches!(nonsense, Verdict::Differs(_)), "{nonsense}");
}

/// The book shows what `confirm` prints; here is what it depends on.
#[test]
fn the_book_says_what_confirm_runs() {
    let page = include_str!("../src/experiments/preface.md");
    let n = confirm::experiments().count();
    assert!(page.contains(&format!("{n} experiments: {n} repeated, 0 differ, 0 could not run.")), "{n} now");
    let left_out: Vec<&str> = confirm::left_out().map(|e| e.id).collect();
    let line = format!("Left out, because they may crash or hang: {}.", left_out.join(", "));
    assert!(page.contains(&line), "{line}");
}
