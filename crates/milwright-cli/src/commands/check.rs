//! `milwright check`.

use crate::args::{Check, Format};
use crate::outcome::Outcome;
use crate::terminal::Terminal;
use milwright::Severity;
use std::io::Write;

pub(crate) fn run(args: Check, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let reports: Vec<milwright::Report> = args.paths.iter().map(milwright::check).collect();
    let count =
        |severity| reports.iter().flat_map(|r| &r.diagnostics).filter(|d| d.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let mut out = std::io::stdout().lock();
    match args.format {
        Format::Json => writeln!(out, "{}", milwright::Report::json(&reports))?,
        Format::Text => {
            for report in &reports {
                write!(out, "{}", report.text(terminal.out_color))?;
            }
            let words = match (errors, warnings) {
                (0, 0) => terminal.good("no errors"),
                (0, w) => format!("no errors, {w} warning{}", plural(w)),
                (e, 0) => terminal.bad(&format!("{e} error{}", plural(e))),
                (e, w) => terminal.bad(&format!("{e} error{}, {w} warning{}", plural(e), plural(w))),
            };
            writeln!(out, "{} program{} checked: {words}", reports.len(), plural(reports.len()))?;
        }
    }
    Ok(if errors > 0 { Outcome::Wrong } else { Outcome::Fine })
}

fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}
