//! `milwright fmt`.

use crate::args::Fmt;
use crate::outcome::Outcome;
use crate::terminal::Terminal;
use anyhow::Context;
use std::io::{Read, Write};
use std::path::Path;

pub(crate) fn run(args: Fmt, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::Fine;
    for path in &args.paths {
        if path.as_os_str() == "-" {
            let mut text = Vec::new();
            std::io::stdin().lock().read_to_end(&mut text).context("cannot read stdin")?;
            let Some((before, after)) = formatted(Path::new("-"), text, terminal)? else {
                outcome = Outcome::Wrong;
                continue;
            };
            match args.check {
                true if before != after => outcome = not_formatted(path),
                true => {}
                false => std::io::stdout().lock().write_all(after.as_bytes())?,
            }
            continue;
        }
        let text = std::fs::read(path)
            .with_context(|| format!("cannot read `{}`, which must be a file of MIL text", path.display()))?;
        let Some((before, after)) = formatted(path, text, terminal)? else {
            outcome = Outcome::Wrong;
            continue;
        };
        if before == after {
            continue;
        }
        if args.check {
            outcome = not_formatted(path);
        } else {
            milwright::write_text(path, &after)?;
        }
    }
    Ok(outcome)
}

/// The text and its formatted form; nothing if it has mistakes, which are then on stderr.
fn formatted(path: &Path, bytes: Vec<u8>, terminal: &Terminal) -> anyhow::Result<Option<(String, String)>> {
    match milwright::format(path, bytes) {
        Ok(both) => Ok(Some(both)),
        Err(failure) => {
            terminal.failure(&failure);
            Ok(None)
        }
    }
}

fn not_formatted(path: &Path) -> Outcome {
    eprintln!("{} is not formatted; run `milwright fmt {}`", path.display(), path.display());
    Outcome::Wrong
}
