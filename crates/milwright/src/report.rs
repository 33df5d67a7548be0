//! What is wrong with a program, ready to be shown.

use crate::failure::Failure;
use crate::open::{Opened, open};
use mil_base::{Diagnostic, Severity};
use mil_check::{Checked, Levels, Target};
use mil_ops::OpSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Everything found about one program, sorted by place.
pub struct Report {
    /// The file or folder.
    pub path: PathBuf,
    /// Its text, when it is text.
    pub source: Option<String>,
    /// The program, if it could be read: shows ops that have no text.
    pub program: Option<Arc<mil_ir::Program>>,
    /// What was found.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads and checks the program at `path`; one without errors is linted too.
pub fn check(path: impl AsRef<Path>) -> Report {
    let opened = match open(path) {
        Ok(opened) => opened,
        Err(failure) => return Report::from(failure),
    };
    let origins = opened.origins.clone();
    let (mut report, checked) = Report::check(opened);
    if let Some(checked) = checked {
        report.diagnostics.extend(mil_check::lint(&checked, &origins, &Levels::default()));
    }
    report
}

impl Report {
    /// Checks a program that was opened. With errors there is no `Checked`.
    pub fn check(opened: Opened) -> (Report, Option<Arc<Checked>>) {
        let program = Arc::new(opened.program);
        let mut diagnostics = opened.warnings;
        let result =
            mil_check::check(program.clone(), &opened.origins, &OpSet::standard(), Target::default());
        let checked = match result {
            Ok(checked) => {
                diagnostics.extend(checked.warnings().iter().cloned());
                Some(Arc::new(checked))
            }
            Err(found) => {
                diagnostics.extend(found);
                None
            }
        };
        (Report { path: opened.path, source: opened.source, program: Some(program), diagnostics }, checked)
    }

    /// Is there an error among them?
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|d| d.severity == Severity::Error)
    }

    /// The same as a failure to open.
    pub fn into_failure(self) -> Failure {
        Failure { path: self.path, source: self.source, diagnostics: self.diagnostics }
    }
}

impl From<Failure> for Report {
    fn from(f: Failure) -> Report {
        Report { path: f.path, source: f.source, program: None, diagnostics: f.diagnostics }
    }
}
