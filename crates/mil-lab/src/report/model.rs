//! What a report says, before it has a form.

use crate::card::find;
use crate::evidence::{Evidence, Record};
use crate::judge::Verdict;
use crate::observation::{Figure, Observation, Placed, number};
use crate::system::Ground;
use std::collections::{BTreeMap, BTreeSet};

/// A report: one block after another.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// The blocks.
    pub blocks: Vec<Block>,
}

/// A piece of a report.
#[derive(Clone, PartialEq, Debug)]
pub enum Block {
    /// A heading.
    Heading(String),
    /// A paragraph.
    Text(String),
    /// A table.
    Table {
        /// Its head.
        head: Vec<&'static str>,
        /// Its rows, as long as the head.
        rows: Vec<Vec<String>>,
    },
    /// A plot: points of several series over sizes or experiments.
    Plot {
        /// Its name, good for a file.
        name: &'static str,
        /// What it shows.
        title: String,
        /// What the height means, with its unit.
        axis: &'static str,
        /// The places along the bottom.
        places: Vec<String>,
        /// Each series: its label, and for each place low, middle and high.
        series: Vec<(String, Vec<Option<[f64; 3]>>)>,
    },
}

impl Report {
    /// The report on some evidence.
    pub fn of(evidence: &[Evidence]) -> Report {
        let records: Vec<&Record> = evidence.iter().flat_map(|e| &e.records).collect();
        let mut blocks = vec![Block::Heading("Lab report".to_owned()), Block::Text(opening(&records))];
        blocks.extend(verdicts(&records));
        blocks.extend(latencies(&records));
        blocks.extend(errors(&records));
        blocks.extend(texts("Arithmetic", ARITHMETIC, "arithmetic", &records, |o| &o.arithmetic));
        blocks.extend(texts("Placement", PLACEMENT, "placement", &records, |o| &o.placements));
        blocks.extend(beside_the_research(&records));
        blocks.extend(dumps(&records));
        Report { blocks }
    }
}

const ARITHMETIC: &str =
    "Which candidate each matrix product fits, bit for bit. A fit says what was computed, not where.";
const PLACEMENT: &str = "Where each result was computed, and how that is known.";

fn opening(records: &[&Record]) -> String {
    let grounds: BTreeSet<String> = records.iter().map(|r| r.label()).collect();
    let mut text =
        format!("{} records of {}.", records.len(), grounds.into_iter().collect::<Vec<_>>().join("; "));
    if records.iter().any(|r| r.ground == Ground::Double) {
        text.push_str(" Rows marked double come from doubles of Apple's frameworks, which compute on this CPU: they show that our code does what we believe the frameworks expect, and nothing about hardware. Their times are compared with nothing.");
    }
    text
}

fn verdicts(records: &[&Record]) -> Vec<Block> {
    let rows = records.iter().map(|r| {
        let (verdict, why) = match &r.verdict {
            Verdict::Repeated => ("repeated", String::new()),
            Verdict::Differs(how) => ("differs", how.join("; ")),
            Verdict::CouldNotRun(why) => ("could not run", why.clone()),
        };
        vec![r.experiment.clone(), r.title.clone(), verdict.to_owned(), why, r.label(), r.date.clone()]
    });
    let head = vec!["experiment", "title", "verdict", "how", "on", "date"];
    vec![Block::Heading("Verdicts".to_owned()), Block::Table { head, rows: rows.collect() }]
}

/// A record's figure.
type Of<'a> = (&'a Record, &'a Figure);

fn figures<'a>(records: &[&'a Record], is: impl Fn(&Figure) -> bool) -> Vec<Of<'a>> {
    let all = records.iter().flat_map(|r| r.observation.figures.iter().map(move |f| (*r, f)));
    all.filter(|(_, f)| is(f)).collect()
}

/// Who made a figure: the path, and the label of its record.
fn series((record, figure): &Of<'_>) -> String {
    format!("{}, {}", if figure.path.is_empty() { "-" } else { &figure.path }, record.label())
}

fn place((record, figure): &Of<'_>) -> String {
    let place = format!("{} {}", record.experiment, figure.size);
    place.trim().to_owned()
}

/// Experiments whose latencies are plotted: those that compare paths at several sizes.
fn latencies(records: &[&Record]) -> Vec<Block> {
    let times = figures(records, |f| f.unit == "ms");
    if times.is_empty() {
        return Vec::new();
    }
    let rows = times.iter().map(|(r, f)| {
        let s = &f.spread;
        let cells = [&r.experiment, &f.name, &f.path, &f.size];
        let mut row: Vec<String> = cells.into_iter().cloned().collect();
        row.extend([number(s.median), number(s.p10), number(s.p90), s.runs.to_string(), r.label()]);
        row
    });
    let head = vec!["experiment", "figure", "path", "size", "median ms", "p10", "p90", "runs", "on"];
    let table = Block::Table { head, rows: rows.collect() };
    let latency: Vec<Of<'_>> = times.into_iter().filter(|(_, f)| f.name == "latency").collect();
    let mut blocks = vec![Block::Heading("Latency".to_owned()), table];
    let paths: Vec<Of<'_>> = latency.iter().copied().filter(|(r, _)| r.experiment == "bench-paths").collect();
    if !paths.is_empty() {
        blocks.push(plot("latency-by-size", "Latency of the four routes by size".to_owned(), "ms", &paths));
    }
    let runtimes: Vec<Of<'_>> = latency.into_iter().filter(|(_, f)| is_runtime(&f.path)).collect();
    if !runtimes.is_empty() {
        let title = "Latency of each program by path".to_owned();
        blocks.push(plot("latency-by-path", title, "ms", &runtimes));
    }
    blocks
}

fn errors(records: &[&Record]) -> Vec<Block> {
    let all = figures(records, |f| f.unit.is_empty() && f.name.contains("difference"));
    if all.is_empty() {
        return Vec::new();
    }
    let rows = all.iter().map(|(r, f)| {
        let cells = [&r.experiment, &f.name, &f.path, &f.size];
        let mut row: Vec<String> = cells.into_iter().cloned().collect();
        row.extend([number(f.spread.median), r.label()]);
        row
    });
    let table = Block::Table {
        head: vec!["experiment", "figure", "path", "size", "value", "on"],
        rows: rows.collect(),
    };
    let worst: Vec<Of<'_>> =
        all.into_iter().filter(|(_, f)| f.name == "largest difference" && is_runtime(&f.path)).collect();
    let plot = plot(
        "error-by-experiment",
        "Largest difference from the f64 reference (on the axis: none)".to_owned(),
        "difference",
        &worst,
    );
    vec![Block::Heading("Error".to_owned()), table, plot]
}

/// Is the path one of the runtimes, which run whole programs?
fn is_runtime(path: &str) -> bool {
    path == "cpu" || mil_apple::Kind::ALL.iter().any(|kind| kind.name() == path)
}

fn plot(name: &'static str, title: String, axis: &'static str, points: &[Of<'_>]) -> Block {
    let mut places: Vec<String> = Vec::new();
    for p in points {
        if !places.contains(&place(p)) {
            places.push(place(p));
        }
    }
    let mut series_of: BTreeMap<String, Vec<Option<[f64; 3]>>> = BTreeMap::new();
    for p in points {
        let s = &p.1.spread;
        let line = series_of.entry(series(p)).or_insert_with(|| vec![None; places.len()]);
        if let Some(slot) = places.iter().position(|at| *at == place(p)).and_then(|i| line.get_mut(i)) {
            *slot = Some([s.p10, s.median, s.p90]);
        }
    }
    Block::Plot { name, title, axis, places, series: series_of.into_iter().collect() }
}

fn texts(
    heading: &str,
    about: &str,
    column: &'static str,
    records: &[&Record],
    of: impl Fn(&Observation) -> &Vec<Placed>,
) -> Vec<Block> {
    let mut rows = Vec::new();
    for r in records {
        for placed in of(&r.observation) {
            rows.push(vec![r.experiment.clone(), placed.of.clone(), placed.text.clone(), r.label()]);
        }
    }
    if rows.is_empty() {
        return Vec::new();
    }
    let head = vec!["experiment", "result", column, "on"];
    vec![Block::Heading(heading.to_owned()), Block::Text(about.to_owned()), Block::Table { head, rows }]
}

/// Figures of machines beside those of the research. A double's are compared with nothing.
fn beside_the_research(records: &[&Record]) -> Vec<Block> {
    let mut rows = Vec::new();
    for r in records.iter().filter(|r| r.ground == Ground::Machine) {
        let Ok(card) = find(&r.experiment) else { continue };
        for saw in card.page().saw {
            for f in r.observation.figures.iter().filter(|f| f.name == saw.figure && f.unit == saw.unit) {
                let ours = format!("{} {}", f.spread, f.unit);
                let theirs = format!("{} {}", number(saw.value), saw.unit);
                let path = format!("{} {}", f.path, f.size);
                rows.push(vec![
                    r.experiment.clone(),
                    saw.figure.clone(),
                    path.trim().to_owned(),
                    ours.trim().to_owned(),
                    theirs.trim().to_owned(),
                    r.label(),
                ]);
            }
        }
    }
    if rows.is_empty() {
        return Vec::new();
    }
    let head = vec!["experiment", "figure", "path", "here", "the research (M4 Max, macOS 15)", "on"];
    vec![Block::Heading("Beside the research".to_owned()), Block::Table { head, rows }]
}

/// Lines of a list with the labels of those that have them.
type Holders<'a> = BTreeMap<&'a str, BTreeSet<String>>;

/// Lists of the same name from several grounds: what only some of them have.
fn dumps(records: &[&Record]) -> Vec<Block> {
    let mut lists: BTreeMap<&str, (BTreeSet<String>, Holders<'_>)> = BTreeMap::new();
    for r in records {
        for dump in &r.observation.dumps {
            let (labels, lines) = lists.entry(&dump.name).or_default();
            labels.insert(r.label());
            for line in &dump.lines {
                lines.entry(line).or_default().insert(r.label());
            }
        }
    }
    let mut blocks = Vec::new();
    for (name, (labels, lines)) in lists.iter().filter(|(_, (labels, _))| labels.len() > 1) {
        let differ = lines.iter().filter(|(_, on)| on.len() < labels.len());
        let only = |on: &BTreeSet<String>| on.iter().cloned().collect::<Vec<_>>().join("; ");
        let rows: Vec<Vec<String>> = differ.map(|(line, on)| vec![(*line).to_owned(), only(on)]).collect();
        blocks.push(Block::Heading(format!("Lists that differ: {name}")));
        blocks.push(Block::Text(format!("{} of {} lines are not everywhere.", rows.len(), lines.len())));
        blocks.push(Block::Table { head: vec!["line", "only on"], rows });
    }
    blocks
}
