//! Diagnostics for other programs: a stable JSON form.
//!
//! An array of objects, sorted by place:
//!
//! | key | value |
//! |---|---|
//! | `code` | slug path, `layer_norm/axes-in-range`; never reused |
//! | `severity` | `"error"`, `"warning"` or `"note"` |
//! | `message` | one sentence |
//! | `help` | what to do about it, or null |
//! | `labels` | array; the first is the place it is reported at. May be empty |
//!
//! A label has `file`, `message` (may be empty), `function`, `op` (index), `op_name`, `argument`, and for programs read from text
//! `line` and `column` (from 1, the column in characters) and `span` (`[first, past the last]`, bytes). What is not
//! known is null. Keys may be added later, never changed.

use super::Sources;
use super::excerpt::Lines;
use crate::diagnostic::{Diagnostic, Severity, sort_by_place};
use serde::Serialize;

/// One diagnostic in its JSON form.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct JsonDiagnostic {
    /// Slug path.
    pub code: String,
    /// `error`, `warning` or `note`.
    pub severity: &'static str,
    /// One sentence.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Places, the main one first.
    pub labels: Vec<JsonLabel>,
}

/// One label in its JSON form.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct JsonLabel {
    /// The file as the user named it.
    pub file: String,
    /// A remark, or empty.
    pub message: String,
    /// Line, from 1.
    pub line: Option<usize>,
    /// Column in characters, from 1.
    pub column: Option<usize>,
    /// First byte, and the one past the last.
    pub span: Option<[u32; 2]>,
    /// Name of the function.
    pub function: Option<String>,
    /// Index of the op in the function.
    pub op: Option<u32>,
    /// First output of the op, or its kind.
    pub op_name: Option<String>,
    /// Argument, attribute, parameter or output.
    pub argument: Option<String>,
}

/// The JSON forms, sorted by place.
pub fn records(diagnostics: &[Diagnostic], sources: &Sources<'_>) -> Vec<JsonDiagnostic> {
    let mut sorted = diagnostics.to_vec();
    sort_by_place(&mut sorted);
    let lines = sources.text.map(Lines::new);
    let record = |d: Diagnostic| JsonDiagnostic {
        code: d.code.to_owned(),
        severity: match d.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        },
        message: d.message,
        help: d.help,
        labels: d
            .labels
            .into_iter()
            .map(|label| {
                let at = label.span.zip(lines.as_ref()).map(|(s, lines)| lines.position(s.start as usize));
                let name = |n: Option<crate::name::Name>| n.map(|n| n.as_str().to_owned());
                JsonLabel {
                    file: sources.file.to_owned(),
                    message: label.message,
                    line: at.map(|p| p.line),
                    column: at.map(|p| p.column),
                    span: label.span.map(|s| [s.start, s.end]),
                    function: name(label.place.function),
                    op: label.place.op,
                    op_name: name(label.place.op_name),
                    argument: name(label.place.argument),
                }
            })
            .collect(),
    };
    sorted.into_iter().map(record).collect()
}

/// The JSON array, indented, with a final line break.
pub fn json(records: &[JsonDiagnostic]) -> String {
    let mut text = serde_json::to_string_pretty(records).unwrap_or_else(|_| "[]".to_owned());
    text.push('\n');
    text
}
