//! `milwright explain`.

use crate::args::Explain;
use crate::outcome::Outcome;
use crate::terminal::Terminal;
use anyhow::bail;
use std::io::Write;

/// The kinds of topics, with what the list calls them.
const KINDS: [(&str, &str); 5] = [
    ("op", "Ops"),
    ("lint", "Lints"),
    ("code", "Codes"),
    ("error", "Errors of the Neural Engine"),
    ("constraint", "Constraints of the Neural Engine"),
];

pub(crate) fn run(args: Explain, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let mut out = std::io::stdout().lock();
    let Some(name) = args.name else {
        let topics = milwright::topics();
        for (kind, heading) in KINDS {
            writeln!(out, "{}", terminal.strong(heading))?;
            for topic in topics.iter().filter(|t| t.kind == kind) {
                writeln!(out, "  {}", topic.name)?;
            }
        }
        return Ok(Outcome::Fine);
    };
    match milwright::explain(&name) {
        Ok(topic) => {
            for line in topic.text.lines() {
                let line = if line.starts_with('#') { terminal.strong(line) } else { line.to_owned() };
                writeln!(out, "{line}")?;
            }
            Ok(Outcome::Fine)
        }
        Err(nearest) if nearest.is_empty() => {
            bail!("there is nothing to explain under `{name}`; `milwright explain` lists everything there is")
        }
        Err(nearest) => {
            bail!("there is nothing to explain under `{name}`; did you mean {}?", nearest.join(", "))
        }
    }
}
