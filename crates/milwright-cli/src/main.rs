//! The `milwright` program. It turns arguments into calls of the facade crate `milwright` and results into text; it has no
//! logic of its own.
//!
//! **Where to start reading:** [`args`] for the commands, then `commands/run.rs`.

mod args;
mod commands;
mod outcome;
mod terminal;

use args::{Cli, Command};
use clap::Parser;
use outcome::Outcome;
use std::process::ExitCode;
use terminal::Terminal;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let terminal = Terminal::new(cli.color);
    let result = match cli.command {
        Command::Run(args) => commands::run::run(args, &terminal),
        Command::Check(args) => commands::check::run(args, &terminal),
        Command::Fmt(args) => commands::fmt::run(args, &terminal),
        Command::Convert(args) => commands::convert::run(args, &terminal),
        Command::Compile(args) => commands::convert::compile(args, &terminal),
        Command::Link(args) => commands::link::run(args, &terminal),
        Command::Inspect(args) => commands::inspect::run(args, &terminal),
        Command::Explain(args) => commands::explain::run(args, &terminal),
        Command::Bench(args) => commands::bench::run(args, &terminal),
        Command::Predict(args) => commands::predict::run(args, &terminal),
        Command::Worker(machine) => commands::worker::run(machine),
        Command::Lab(args) => commands::lab::run(args, &terminal),
        Command::AppleWorker => milwright::serve_worker().map(|()| Outcome::Fine).map_err(Into::into),
        Command::Completions { shell } => commands::completions::run(shell),
    };
    match result {
        Ok(outcome) => outcome.into(),
        Err(error) if outcome::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            terminal.error(&error);
            Outcome::Wrong.into()
        }
    }
}
