//! `milwright lab`.

use crate::args::{Lab, LabConfirm, LabHow, LabReport, LabRun};
use crate::outcome::Outcome;
use crate::terminal::Terminal;
use anyhow::{Context, anyhow, bail};
use mil_lab::{Evidence, Experiment, Record, Verdict, confirm, report, run as experiments};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

pub(crate) fn run(args: Lab, terminal: &Terminal) -> anyhow::Result<Outcome> {
    match args {
        Lab::List => print(&mil_lab::list(), terminal),
        Lab::Show { id } => print(&mil_lab::show(card(&id)?), terminal),
        Lab::Run(args) => several(args, terminal),
        Lab::Report(args) => write_report(args),
        Lab::Confirm(args) => confirm_all(args, terminal),
        Lab::Step { id, how } => {
            let record = experiments::run(card(&id)?, &options(&how)).map_err(|why| anyhow!(why))?;
            serde_json::to_writer(std::io::stdout().lock(), &record)?;
            Ok(Outcome::Fine)
        }
    }
}

fn print(text: &str, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let mut out = std::io::stdout().lock();
    for line in text.lines() {
        let line = if line.starts_with('#') { terminal.strong(line) } else { line.to_owned() };
        writeln!(out, "{line}")?;
    }
    Ok(Outcome::Fine)
}

fn card(id: &str) -> anyhow::Result<&'static Experiment> {
    mil_lab::find(id).map_err(|near| match near[..] {
        [] => anyhow!("there is no experiment `{id}`; `milwright lab list` lists them"),
        _ => anyhow!("there is no experiment `{id}`; did you mean {}?", near.join(", ")),
    })
}

fn options(how: &LabHow) -> experiments::Options {
    experiments::Options {
        seed: how.seed,
        budget: Duration::from_millis(how.budget),
        limit: Duration::from_secs(how.limit),
    }
}

fn several(args: LabRun, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let cards: Vec<&Experiment> = match args.all {
        true => mil_lab::in_order(),
        false => args.ids.iter().map(|id| card(id)).collect::<Result<_, _>>()?,
    };
    let evidence = run_each(&cards, &args.how, args.findings, terminal)?;
    if let Some(path) = &args.json {
        write(path, &evidence.to_json())?;
    }
    let repeated = evidence.records.iter().all(|r| r.verdict.is_repeated());
    Ok(if repeated { Outcome::Fine } else { Outcome::NotVerified })
}

fn confirm_all(args: LabConfirm, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let cards: Vec<&Experiment> = confirm::experiments().collect();
    let evidence = run_each(&cards, &args.how, false, terminal)?;
    write(&args.output, &evidence.to_json())?;
    let mut out = std::io::stdout().lock();
    let left_out: Vec<&str> = confirm::left_out().map(|e| e.id).collect();
    if !left_out.is_empty() {
        writeln!(out, "Left out, because they may crash or hang: {}.", left_out.join(", "))?;
    }
    write!(out, "{}", confirm::summary(&evidence, &args.output.display().to_string()))?;
    Ok(Outcome::Fine)
}

/// Runs each in a process of its own and prints its verdict.
fn run_each(
    cards: &[&'static Experiment],
    how: &LabHow,
    findings: bool,
    terminal: &Terminal,
) -> anyhow::Result<Evidence> {
    if mil_lab::here().is_none() {
        bail!("{}", experiments::NO_BRIDGE);
    }
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let width = cards.iter().map(|c| c.id.len()).max().unwrap_or_default();
    let (mut records, mut out) = (Vec::new(), std::io::stdout().lock());
    for card in cards {
        let mut command = Command::new(&program);
        command.args(["lab", "step", card.id, "--seed", &how.seed.to_string()]);
        command.args(["--budget", &how.budget.to_string()]);
        let record = terminal.during(card.id, || experiments::isolated(card, &options(how), command));
        let record = record.map_err(|why| anyhow!(why))?;
        if records.is_empty() {
            writeln!(out, "on: {}, {}", record.label(), record.date)?;
        }
        let verdict = match &record.verdict {
            Verdict::Repeated => terminal.good(&record.verdict.to_string()),
            other => other.to_string(),
        };
        writeln!(out, "{:width$}  {verdict}", card.id)?;
        if findings {
            print_findings(&mut out, &record, terminal)?;
        }
        records.push(record);
    }
    Ok(Evidence::of(records))
}

fn print_findings(out: &mut impl Write, record: &Record, terminal: &Terminal) -> std::io::Result<()> {
    let found = &record.observation;
    for f in &found.findings {
        writeln!(out, "    {}: {}", terminal.faint(&f.name), f.value)?;
    }
    for f in &found.figures {
        let name = [f.name.as_str(), &f.path, &f.size].into_iter().filter(|s| !s.is_empty());
        let name = name.collect::<Vec<_>>().join(", ");
        writeln!(out, "    {}: {} {} ({})", terminal.faint(&name), f.spread, f.unit, record.ground)?;
    }
    for p in found.arithmetic.iter().chain(&found.placements) {
        writeln!(out, "    {}: {}", terminal.faint(&p.of), p.text)?;
    }
    Ok(())
}

fn write_report(args: LabReport) -> anyhow::Result<Outcome> {
    let mut evidence = Vec::new();
    for path in &args.files {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        evidence.push(Evidence::read(&text).map_err(|why| anyhow!("{}: {why}", path.display()))?);
    }
    let extension = args.output.extension().and_then(|e| e.to_str()).unwrap_or_default();
    let stem = args.output.file_stem().and_then(|s| s.to_str()).unwrap_or("report");
    let files = match extension {
        "md" => report::markdown(&evidence, stem),
        "html" => report::html(&evidence),
        _ => bail!("a report is written as .md or .html, not as {}", args.output.display()),
    };
    write(&args.output, &files.text)?;
    for (name, text) in &files.beside {
        write(&args.output.with_file_name(name), text)?;
    }
    Ok(Outcome::Fine)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
