//! Evidence as a report: what was repeated, how long things took and how exact they were, which arithmetic was found, which
//! selectors differ. Every row says machine and system, or double.

mod html;
mod markdown;
mod model;
mod plot;

use crate::evidence::Evidence;
pub use model::{Block, Report};

/// A report as files: its own, and those it refers to, by name.
#[derive(Clone, PartialEq, Debug)]
pub struct Files {
    /// The text of the report.
    pub text: String,
    /// Plots beside it: file name and content. None for HTML, which holds its own.
    pub beside: Vec<(String, String)>,
}

/// The evidence of some files as Markdown. `stem` begins the names of the plots beside it.
pub fn markdown(evidence: &[Evidence], stem: &str) -> Files {
    markdown::render(&Report::of(evidence), stem)
}

/// The evidence of some files as one HTML page.
pub fn html(evidence: &[Evidence]) -> Files {
    Files { text: html::render(&Report::of(evidence)), beside: Vec::new() }
}
