//! Colours, widths and progress: on a terminal only.

use crate::args::When;
use indicatif::{ProgressBar, ProgressStyle};
use milwright::{Diagnostic, Failure, Model, Report, RunError};
use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

/// What we may do with stdout and stderr.
pub(crate) struct Terminal {
    /// Colours on stdout.
    pub(crate) out_color: bool,
    /// Colours on stderr.
    pub(crate) err_color: bool,
    /// Is a person reading stdout?
    pub(crate) interactive: bool,
    progress: bool,
}

impl Terminal {
    pub(crate) fn new(color: When) -> Terminal {
        let allowed = std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let choose = |is_terminal: bool| match color {
            When::Always => true,
            When::Never => false,
            When::Auto => is_terminal && allowed,
        };
        let (out, err) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        Terminal { out_color: choose(out), err_color: choose(err), interactive: out, progress: err }
    }

    /// A spinner on stderr while `work` runs, if a person is there to see it; it leaves no trace.
    pub(crate) fn during<T>(&self, message: &str, work: impl FnOnce() -> T) -> T {
        if !self.progress {
            return work();
        }
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        let bar = ProgressBar::new_spinner().with_style(style).with_message(message.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        let result = work();
        bar.finish_and_clear();
        result
    }

    /// Text for stdout: bold.
    pub(crate) fn strong(&self, text: &str) -> String {
        self.paint(anstyle::Style::new().bold(), text)
    }

    /// Text for stdout: less important.
    pub(crate) fn faint(&self, text: &str) -> String {
        self.paint(anstyle::Style::new().dimmed(), text)
    }

    /// Text for stdout: all is well.
    pub(crate) fn good(&self, text: &str) -> String {
        self.paint(anstyle::AnsiColor::Green.on_default(), text)
    }

    /// Text for stdout: something is wrong.
    pub(crate) fn bad(&self, text: &str) -> String {
        self.paint(anstyle::AnsiColor::Red.on_default().bold(), text)
    }

    fn paint(&self, style: anstyle::Style, text: &str) -> String {
        if self.out_color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// What is wrong with a file, on stderr.
    pub(crate) fn failure(&self, failure: &Failure) {
        eprint!("{}", failure.text(self.err_color));
    }

    /// What was found in a program, on stderr; nothing if there is nothing.
    pub(crate) fn report(&self, report: &Report) {
        eprint!("{}", report.text(self.err_color));
    }

    /// What was left out or looked odd when a program was read, on stderr.
    pub(crate) fn warnings(&self, path: &Path, warnings: &[Diagnostic]) {
        let failure = Failure { path: path.into(), source: None, diagnostics: warnings.to_vec() };
        self.failure(&failure);
    }

    /// What went wrong in a run, on stderr; `inputs` is the file that the inputs came from.
    pub(crate) fn run_error(&self, model: &Model, error: &RunError, inputs: Option<&Path>) {
        let mut report = model.report(error);
        let about_inputs =
            |d: &&mut Diagnostic| d.code.starts_with("run/input") || d.code.starts_with("input/");
        if let Some(file) = inputs {
            for diagnostic in report.diagnostics.iter_mut().filter(about_inputs) {
                diagnostic.message.push_str(&format!(" (inputs from `{}`)", file.display()));
            }
        }
        self.report(&report);
    }

    /// An error that is not a diagnostic, on stderr.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        let style = anstyle::AnsiColor::Red.on_default().bold();
        let label = if self.err_color { format!("{style}error{style:#}") } else { "error".to_owned() };
        eprintln!("{label}: {error:#}");
    }
}
