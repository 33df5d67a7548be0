//! The few lines of a text that a diagnostic shows.

use crate::span::Span;
use std::ops::Range;

/// Longest line that is shown whole, in bytes. Of longer ones (literals of weights) the surroundings of the span are.
const LONGEST_LINE: usize = 240;
/// What is shown of a long line before and after the start of the span, in bytes.
const AROUND: (usize, usize) = (60, 120);
/// Most lines that are shown of one span.
const MOST_LINES: usize = 4;

/// Where the lines of a text begin.
pub(super) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

/// A line and column, both from 1; the column counts characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// A part of a text with a range of it marked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Excerpt {
    pub(super) text: String,
    pub(super) first_line: usize,
    pub(super) mark: Range<usize>,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Lines<'t> {
        let after = text.bytes().enumerate().filter(|&(_, b)| b == b'\n').map(|(i, _)| i + 1);
        Lines { text, starts: std::iter::once(0).chain(after).collect() }
    }

    fn line_of(&self, at: usize) -> usize {
        self.starts.partition_point(|&s| s <= at).saturating_sub(1)
    }

    /// The bytes of a line, without its end.
    fn line(&self, line: usize) -> Range<usize> {
        let start = self.starts.get(line).copied().unwrap_or(self.text.len());
        let end = self.starts.get(line + 1).map_or(self.text.len(), |&next| next - 1);
        start..end.max(start)
    }

    /// The range of the span that lies in the text, on character borders.
    pub(super) fn range(&self, span: Span) -> Range<usize> {
        let start = floor(self.text, span.start as usize);
        start..floor(self.text, span.end as usize).max(start)
    }

    pub(super) fn position(&self, at: usize) -> Position {
        let at = floor(self.text, at);
        let line = self.line_of(at);
        let start = self.line(line).start;
        Position { line: line + 1, column: self.text[start..at].chars().count() + 1 }
    }

    pub(super) fn excerpt(&self, span: Span) -> Excerpt {
        let range = self.range(span);
        let (first, last) = (self.line_of(range.start), self.line_of(range.end));
        let last = last.min(first + MOST_LINES - 1);
        let (mut start, mut end) = (self.line(first).start, self.line(last).end);
        let long = (first..=last).any(|l| self.line(l).len() > LONGEST_LINE);
        let (mut before, mut after) = ("", "");
        if long {
            let line = self.line(first);
            let from = floor(self.text, range.start.saturating_sub(AROUND.0)).max(line.start);
            let to = floor(self.text, range.start.saturating_add(AROUND.1)).min(line.end);
            (before, after) =
                (if from > line.start { "…" } else { "" }, if to < line.end { "…" } else { "" });
            (start, end) = (from, to);
        }
        let clamp = |at: usize| at.clamp(start, end) - start + before.len();
        let text = format!("{before}{}{after}", self.text.get(start..end).unwrap_or_default());
        let mark = clamp(range.start)..clamp(range.end);
        Excerpt { mark: visible(&text, mark), text, first_line: first + 1 }
    }
}

/// An empty range, widened to one character where there is one.
pub(super) fn visible(text: &str, range: Range<usize>) -> Range<usize> {
    if !range.is_empty() {
        return range;
    }
    let next = text[range.start..].chars().next().filter(|c| *c != '\n');
    range.start..range.start + next.map_or(0, char::len_utf8)
}

/// The nearest character border at or before `at`.
pub(super) fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let lines = Lines::new("é = 1\nab\n");
        assert_eq!(lines.position(0), Position { line: 1, column: 1 });
        assert_eq!(lines.position(3), Position { line: 1, column: 3 });
        assert_eq!(lines.position(8), Position { line: 2, column: 2 });
        assert_eq!(lines.position(99), Position { line: 3, column: 1 });
    }

    #[test]
    fn of_a_huge_line_the_surroundings_are_shown() {
        let text = format!("{}X{}", "1, ".repeat(100_000), "2, ".repeat(100_000));
        let lines = Lines::new(&text);
        let excerpt = lines.excerpt(Span::new(300_000, 300_001));
        assert!(excerpt.text.len() < 200 && excerpt.text.starts_with('…') && excerpt.text.ends_with('…'));
        assert_eq!(&excerpt.text[excerpt.mark], "X");
    }

    #[test]
    fn any_span_of_any_text_has_an_excerpt() {
        let text = "äöü\n\nß";
        let lines = Lines::new(text);
        for start in 0..12 {
            for end in 0..12 {
                let excerpt = lines.excerpt(Span::new(start, end));
                assert!(excerpt.text.get(excerpt.mark).is_some());
            }
        }
    }
}
