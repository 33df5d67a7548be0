//! Diagnostics as a terminal shows them.

use super::excerpt::{Lines, floor, visible};
use super::{Printed, Sources};
use crate::diagnostic::{Diagnostic, Label, Place, Severity, sort_by_place};
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Padding, Renderer, Snippet};
use std::collections::BTreeSet;

/// How diagnostics are laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Style {
    /// Colours, as ANSI escapes.
    pub colour: bool,
    /// Width of the terminal in columns.
    pub width: usize,
    /// Most diagnostics that are shown; of the rest the number is.
    pub most: usize,
}

impl Default for Style {
    fn default() -> Self {
        Style { colour: false, width: 120, most: 100 }
    }
}

/// All diagnostics sorted by place, each with an excerpt of its source, then how many there are and what explains them.
/// Empty if there are none.
pub fn text(diagnostics: &[Diagnostic], sources: &Sources<'_>, style: &Style) -> String {
    if diagnostics.is_empty() {
        return String::new();
    }
    let mut sorted = diagnostics.to_vec();
    sort_by_place(&mut sorted);
    let renderer = if style.colour { Renderer::styled() } else { Renderer::plain() }.term_width(style.width);
    let lines = sources.text.map(Lines::new);
    let mut out = String::new();
    for diagnostic in sorted.iter().take(style.most) {
        push_report(&mut out, &renderer.render(&[group(diagnostic, sources, lines.as_ref())]));
        out.push('\n');
    }
    if sorted.len() > style.most {
        out.push_str(&format!("… and {} more\n\n", sorted.len() - style.most));
    }
    out.push_str(&summary(&sorted));
    let codes: BTreeSet<&str> = sorted.iter().take(style.most).map(|d| d.code).collect();
    let codes: Vec<&str> = codes.into_iter().take(4).collect();
    out.push_str(&format!("; `milwright explain CODE` tells more about {}\n", codes.join(", ")));
    out
}

/// Adds a report without the lines that hold `:::` only: the renderer separates a place that was given apart from its
/// source in that way, and the source follows at once here.
fn push_report(out: &mut String, report: &str) {
    for line in report.lines() {
        let bare = line.replace("\u{1b}[0m", "").replace("\u{1b}[1m", "").replace("\u{1b}[94m", "");
        if bare.trim() != ":::" {
            out.push_str(line);
            out.push('\n');
        }
    }
}

/// `2 errors, 1 warning`, or `nothing to report`.
pub fn summary(diagnostics: &[Diagnostic]) -> String {
    let part = |severity: Severity, name: &str| {
        let n = diagnostics.iter().filter(|d| d.severity == severity).count();
        (n > 0).then(|| format!("{n} {name}{}", if n == 1 { "" } else { "s" }))
    };
    let parts: Vec<String> =
        [part(Severity::Error, "error"), part(Severity::Warning, "warning"), part(Severity::Note, "note")]
            .into_iter()
            .flatten()
            .collect();
    if parts.is_empty() { "nothing to report".to_owned() } else { parts.join(", ") }
}

fn group<'a>(diagnostic: &'a Diagnostic, sources: &Sources<'_>, lines: Option<&Lines<'_>>) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut group =
        level.primary_title(clean(&diagnostic.message)).id(diagnostic.code).elements([] as [Padding; 0]);
    if diagnostic.labels.is_empty() {
        group = group.element(Origin::path(clean(sources.file)));
    }
    for (index, label) in diagnostic.labels.iter().enumerate() {
        let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        group = place(group, label, kind, sources, lines);
    }
    match &diagnostic.help {
        Some(help) => group.element(Level::HELP.message(clean(help))),
        None => group,
    }
}

fn place<'a>(
    group: Group<'a>,
    label: &'a Label,
    kind: AnnotationKind,
    sources: &Sources<'_>,
    lines: Option<&Lines<'_>>,
) -> Group<'a> {
    let remark = (!label.message.is_empty()).then(|| clean(&label.message));
    if let (Some(span), Some(lines)) = (label.span, lines) {
        let at = lines.position(span.start as usize);
        let excerpt = lines.excerpt(span);
        let origin = Origin::path(clean(sources.file)).line(at.line).char_column(at.column);
        let snippet = Snippet::source(excerpt.text).line_start(excerpt.first_line).fold(false);
        return group.element(origin).element(snippet.annotation(kind.span(excerpt.mark).label(remark)));
    }
    let origin = Origin::path(match whereabouts(&label.place) {
        Some(words) => clean(&format!("{}: {words}", sources.file)),
        None => clean(sources.file),
    });
    let Some(Printed { text, underline }) = sources.op.and_then(|print| print(&label.place)) else {
        let group = group.element(origin);
        return match remark {
            Some(remark) => group.element(Level::NOTE.message(remark)),
            None => group,
        };
    };
    let start = floor(&text, underline.start);
    let mark = visible(&text, start..floor(&text, underline.end).max(start));
    let snippet = Snippet::source(text).line_numbering(false).fold(false);
    group.element(origin).element(snippet.annotation(kind.span(mark).label(remark)))
}

/// A place in words: `function main, op 3 (y), argument x`.
fn whereabouts(place: &Place) -> Option<String> {
    let mut words = format!("function {}", place.function.as_ref()?);
    match (place.op, &place.op_name) {
        (Some(op), Some(name)) => words.push_str(&format!(", op {op} ({name})")),
        (Some(op), None) => words.push_str(&format!(", op {op}")),
        _ => {}
    }
    if let Some(argument) = &place.argument {
        words.push_str(&format!(", {argument}"));
    }
    Some(words)
}

/// Text on one line without control characters, which names from a file may hold.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
