//! Why a file could not be opened or saved.

use mil_base::Diagnostic;
use std::fmt;
use std::path::PathBuf;

/// A file that could not be read or written, with everything that is wrong with it.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The file or folder.
    pub path: PathBuf,
    /// Its text, when it is text; spans in the diagnostics point into it.
    pub source: Option<String>,
    /// What is wrong; at least one error.
    pub diagnostics: Vec<Diagnostic>,
}

impl Failure {
    /// One thing is wrong, and no text is at hand.
    pub(crate) fn one(path: impl Into<PathBuf>, diagnostic: Diagnostic) -> Failure {
        Failure { path: path.into(), source: None, diagnostics: vec![diagnostic] }
    }
}

impl fmt::Display for Failure {
    /// One line a diagnostic, without source; the renderer of `mil-base` does better.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, d) in self.diagnostics.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}: {} [{}]", self.path.display(), d.message, d.code)?;
            if let Some(help) = &d.help {
                write!(f, "; {help}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}
