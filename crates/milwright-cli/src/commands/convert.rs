//! `milwright convert` and `milwright compile`.

use crate::args::{Compile, Convert};
use crate::outcome::Outcome;
use crate::terminal::Terminal;
use anyhow::bail;
use milwright::SaveOptions;
use std::io::Write;

pub(crate) fn run(args: Convert, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let opened = match terminal.during("reading", || milwright::open(&args.input)) {
        Ok(opened) => opened,
        Err(failure) => {
            terminal.failure(&failure);
            return Ok(Outcome::Wrong);
        }
    };
    terminal.warnings(&args.input, &opened.warnings);
    if args.output.as_os_str() == "-" {
        std::io::stdout().lock().write_all(milwright::text(&opened.program).as_bytes())?;
        return Ok(Outcome::Fine);
    }
    if args.output.exists() && !args.force {
        bail!("`{}` exists; choose another name, or replace it with --force", args.output.display());
    }
    let options = SaveOptions::of(&opened);
    match terminal.during("writing", || milwright::save(&args.output, &opened.program, &options)) {
        Ok(warnings) => {
            terminal.warnings(&args.output, &warnings);
            Ok(Outcome::Fine)
        }
        Err(failure) => {
            terminal.failure(&failure);
            Ok(Outcome::Wrong)
        }
    }
}

pub(crate) fn compile(args: Compile, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let output = args.output.unwrap_or_else(|| args.input.with_extension("mlmodelc"));
    if output.extension().is_none_or(|e| e != "mlmodelc") {
        bail!("`{}` does not end in .mlmodelc, by which bundles are known", output.display());
    }
    run(Convert { input: args.input, output, force: args.force }, terminal)
}
