//! Canonical layout: the lines and indents of Apple's compiler, with the reader's comments, blank lines and line breaks.
//!
//! The tree says at which tokens lines start ([`Gap`]s); between other tokens, spacing follows from the two kinds. Tokens
//! are copied as they are spelt. A line break inside brackets, after a comma or next to a bracket, is the writer's choice
//! and is kept; the indent is ours.

use crate::parse::parse;
use crate::token::{Kind, Lexer, Token};
use crate::tree::{Body, Program};
use mil_base::Diagnostic;

/// Indents of `facts/mil-text-grammar.md` section 1.
const FUNCTION: usize = 4;
const FUNCTION_CLOSE: usize = 8;
const STEP: usize = 4;

/// Lays `text` out anew; formatting the result changes nothing.
///
/// Errors: the diagnostics of [`parse`](crate::parse()), if one of them is an error; such a text is better left alone.
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    let parsed = parse(text);
    if parsed.has_errors() {
        return Err(parsed.diagnostics);
    }
    let mut plan = Plan::default();
    plan.program(&parsed.program);
    Ok(Writer::new(text, plan).write())
}

/// What stands before a token, where the tree decides it.
#[derive(Clone, Copy, PartialEq)]
enum Gap {
    /// A new line with this indent.
    Line(usize),
    /// A new line with this indent for a closing brace; comments before it belong to what it closes.
    Close(usize),
    /// One space.
    Space,
}

/// Gaps by the offset of the token they precede, in order, and the offsets after which a `;` is missing.
#[derive(Default)]
struct Plan {
    gaps: Vec<(u32, Gap)>,
    function_ends: Vec<u32>,
}

impl Plan {
    fn gap(&mut self, at: u32, gap: Gap) {
        self.gaps.push((at, gap));
    }

    fn program(&mut self, program: &Program<'_>) {
        if let Some(span) = program.attributes.span {
            self.gap(span.start, Gap::Line(0));
        }
        self.gap(program.open, Gap::Line(0));
        for function in &program.functions {
            self.gap(function.span.start, Gap::Line(FUNCTION));
            if let Some(span) = function.attributes.span {
                self.gap(span.start, Gap::Space);
            }
            self.body(&function.body, FUNCTION_CLOSE);
            self.function_ends.push(function.span.end);
        }
        self.gap(program.close, Gap::Close(0));
    }

    /// Blocks nest no deeper than the parser allows.
    fn body(&mut self, body: &Body<'_>, close: usize) {
        self.gap(body.open, Gap::Space);
        for statement in &body.statements {
            self.gap(statement.span.start, Gap::Line(close + STEP));
            for block in &statement.blocks {
                self.gap(block.span.start, Gap::Line(close + 2 * STEP));
                self.body(&block.body, close + 2 * STEP);
            }
        }
        self.gap(body.close, Gap::Close(close));
    }
}

struct Writer<'t> {
    text: &'t str,
    plan: Plan,
    /// Gaps and function ends used so far.
    next_gap: usize,
    next_end: usize,
    out: String,
    /// Indent of the line that is being written, and of the statement or header it belongs to.
    indent: usize,
    base: usize,
    /// For each open bracket, the indent of lines inside it.
    brackets: Vec<usize>,
    previous: Option<Token>,
}

impl<'t> Writer<'t> {
    fn new(text: &'t str, plan: Plan) -> Self {
        let out = String::with_capacity(text.len() + text.len() / 8);
        Writer {
            text,
            plan,
            next_gap: 0,
            next_end: 0,
            out,
            indent: 0,
            base: 0,
            brackets: Vec::new(),
            previous: None,
        }
    }

    fn write(mut self) -> String {
        let mut lexer = Lexer::new(self.text);
        let mut comments: Vec<Token> = Vec::new();
        loop {
            let token = lexer.next_with_comments();
            match token.kind {
                Kind::Comment => comments.push(token),
                Kind::End => {
                    self.comments(&comments, 0);
                    break;
                }
                _ => {
                    self.token(token, &comments);
                    comments.clear();
                }
            }
        }
        if self.text.ends_with(['\n', '\r']) {
            self.out.push('\n');
        }
        self.out
    }

    fn token(&mut self, token: Token, comments: &[Token]) {
        self.missing_semicolon(token);
        let first = self.previous.is_none().then_some(Gap::Line(0));
        let gap = self.gap_before(token).or(first);
        match gap {
            Some(Gap::Line(indent)) => {
                self.brackets.clear();
                self.base = indent;
                self.comments(comments, indent);
                self.line(indent, token);
            }
            Some(Gap::Close(indent)) => {
                self.brackets.clear();
                self.base = indent;
                self.comments(comments, indent + STEP);
                // No blank line before a closing brace.
                self.new_line(indent);
            }
            Some(Gap::Space) if comments.is_empty() => self.out.push(' '),
            Some(Gap::Space) => {
                self.comments(comments, self.base + STEP);
                self.new_line(self.base);
            }
            None => self.inside(token, comments),
        }
        if matches!(token.kind, Kind::LParen | Kind::LBracket | Kind::LBrace) && gap != Some(Gap::Space) {
            self.brackets.push(self.indent + STEP);
        }
        self.out.push_str(self.spelling(token));
        self.previous = Some(token);
    }

    /// Writes the `;` of a function that lacks it.
    fn missing_semicolon(&mut self, next: Token) {
        let Some(&end) = self.plan.function_ends.get(self.next_end) else { return };
        if self.previous.is_some_and(|p| p.span.end >= end) {
            self.next_end += 1;
            if next.kind != Kind::Semicolon {
                self.out.push(';');
            }
        }
    }

    fn gap_before(&mut self, token: Token) -> Option<Gap> {
        let &(at, gap) = self.plan.gaps.get(self.next_gap)?;
        if token.span.start < at {
            return None;
        }
        self.next_gap += 1;
        Some(gap)
    }

    /// A token in the middle of a statement or header.
    fn inside(&mut self, token: Token, comments: &[Token]) {
        let closer = matches!(token.kind, Kind::RParen | Kind::RBracket | Kind::RBrace);
        let around = self.brackets.last().copied().unwrap_or(self.base + STEP);
        if closer {
            self.brackets.pop();
        }
        let indent = if closer { around.saturating_sub(STEP) } else { around };
        if !comments.is_empty() {
            self.comments(comments, around);
            self.new_line(indent);
            return;
        }
        let Some(previous) = self.previous else { return };
        let breakable =
            closer || matches!(previous.kind, Kind::Comma | Kind::LParen | Kind::LBracket | Kind::LBrace);
        if breakable && self.breaks_between(previous.span.end, token.span.start) > 0 {
            self.new_line(indent);
        } else if spaced(previous.kind, token.kind) {
            self.out.push(' ');
        }
    }

    /// Comments before a token: the first stays at the end of the line it was on, the others get lines of their own.
    fn comments(&mut self, comments: &[Token], indent: usize) {
        for comment in comments {
            let trailing =
                self.previous.is_some_and(|p| self.breaks_between(p.span.end, comment.span.start) == 0);
            if trailing {
                self.out.push(' ');
            } else {
                self.line(indent, *comment);
            }
            self.out.push_str(self.spelling(*comment).trim_end());
            self.previous = Some(*comment);
        }
    }

    /// Starts a line for `token`, after a blank one if the writer left one or more there.
    fn line(&mut self, indent: usize, token: Token) {
        let Some(previous) = self.previous else { return self.indent_by(indent) };
        let blank = self.breaks_between(previous.span.end, token.span.start) > 1;
        if blank && previous.kind != Kind::LBrace {
            self.out.push('\n');
        }
        self.new_line(indent);
    }

    fn new_line(&mut self, indent: usize) {
        self.out.push('\n');
        self.indent_by(indent);
    }

    fn indent_by(&mut self, indent: usize) {
        self.indent = indent;
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    /// Line breaks in the source between two places.
    fn breaks_between(&self, start: u32, end: u32) -> usize {
        let between = self.text.as_bytes().get(start as usize..end as usize).unwrap_or(&[]);
        between.iter().filter(|&&b| b == b'\n').count()
    }

    fn spelling(&self, token: Token) -> &'t str {
        self.text.get(token.span.range()).unwrap_or("")
    }
}

/// Is there a space between two tokens of a line?
fn spaced(previous: Kind, next: Kind) -> bool {
    matches!(previous, Kind::Comma | Kind::Equals | Kind::Arrow)
        || matches!(next, Kind::Equals | Kind::Arrow)
        || (matches!(previous, Kind::Word | Kind::Greater) && next == Kind::Word)
}
