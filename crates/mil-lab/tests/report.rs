//! Reports of fixed evidence. `BLESS=1` writes the golden files.

use mil_lab::*;
use std::path::Path;

fn record(id: &str, ground: Ground, verdict: Verdict, observation: Observation) -> Record {
    let (system, machine) = match ground {
        Ground::Double => ("the doubles", "some CPU"),
        Ground::Machine => ("macOS 15.5", "Apple M4 Max"),
    };
    Record {
        experiment: id.into(),
        title: find(id).map_or("a title", |c| c.title).into(),
        ground,
        system: system.into(),
        machine: machine.into(),
        date: "2026-01-02T03:04:05Z".into(),
        version: "0.1.0".into(),
        seed: 1,
        verdict,
        observation,
    }
}

fn evidence() -> Vec<Evidence> {
    let figure = |name: &str, path: &str, size: &str, unit: &str, spread: Spread| Figure {
        name: name.into(),
        path: path.into(),
        size: size.into(),
        unit: unit.into(),
        spread,
    };
    let spread = |median: f64| Spread { median, p10: median * 0.9, p90: median * 1.3, runs: 100 };
    let timed = |factor: f64| Observation {
        figures: vec![
            figure("latency", "coreml", "", "ms", spread(0.08 * factor)),
            figure("latency", "e5rt", "", "ms", spread(0.06 * factor)),
            figure("largest difference", "e5rt", "", "", Spread::once(4e-4 * factor)),
            figure("dX difference from float operands", "e5rt", "", "", Spread::once(4.4e-4)),
        ],
        placements: vec![Placed { of: "e5rt".into(), text: "somewhere | with a bar".into() }],
        arithmetic: vec![Placed { of: "e5rt dX".into(), text: "engine: every <bit>".into() }],
        dumps: vec![Dump {
            name: "selectors".into(),
            lines: vec!["-[A b]".into(), format!("-[A c{factor}]")],
        }],
        ..Observation::default()
    };
    let routes = Observation {
        figures: ["64x32", "768x256"]
            .iter()
            .flat_map(|size| {
                ["standard", "real-time"].map(|path| figure("latency", path, size, "ms", spread(0.2)))
            })
            .collect(),
        ..Observation::default()
    };
    vec![
        Evidence::of(vec![
            record("Z1", Ground::Double, Verdict::Repeated, timed(3.0)),
            record("bench-paths", Ground::Double, Verdict::CouldNotRun("no such class".into()), routes),
        ]),
        Evidence::of(vec![record(
            "Z1",
            Ground::Machine,
            Verdict::Differs(vec!["a".into(), "b".into()]),
            timed(1.0),
        )]),
    ]
}

fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let want = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(want == text, "{name} differs: look at it after BLESS=1");
}

#[test]
fn markdown() {
    let files = report::markdown(&evidence(), "report");
    golden("report.md", &files.text);
    assert_eq!(files.beside.len(), 3);
    for (name, svg) in &files.beside {
        assert!(files.text.contains(&format!("]({name})")) && svg.starts_with("<svg"), "{name}");
    }
}

#[test]
fn html() {
    let page = report::html(&evidence());
    golden("report.html", &page.text);
    assert!(page.beside.is_empty() && page.text.matches("<svg").count() == 3);
}

#[test]
fn every_row_says_what_it_was_on() {
    let text = report::markdown(&evidence(), "r").text;
    let rows = text.lines().filter(|l| l.starts_with("| Z1") || l.starts_with("| bench-paths"));
    for row in rows {
        assert!(row.contains("double (on some CPU)") || row.contains("Apple M4 Max, macOS 15.5"), "{row}");
    }
}

#[test]
fn a_doubles_figures_are_compared_with_nothing() {
    let text = report::markdown(&evidence()[..1], "r").text;
    assert!(!text.contains("Beside the research"), "{text}");
    assert!(report::markdown(&evidence(), "r").text.contains("Beside the research"));
}
