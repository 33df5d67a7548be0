//! Every experiment against the doubles gives its documented outcome.

use mil_lab::{Ground, Record, Verdict, in_order, run};
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
